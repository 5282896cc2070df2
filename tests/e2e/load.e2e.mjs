// `alcove-client load`: many real members from one process.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, startRoomAs } from './lib/client.mjs';
import { newAccount } from './lib/people.mjs';
import { startServer } from './lib/server.mjs';
import { speechFile } from './lib/speech.mjs';

// The limits of a server as it comes: each member has an address of its own.
let server;
before(async () => { server = await startServer({ config: { limits: { rate_limit_factor: 1 } } }); });
after(async () => { assert.equal(await server?.stop(), 0); });

async function room(t) {
  const account = await newAccount(server.origin);
  const started = await startRoomAs(server.origin, { ...account, title: 'Load', speak: speechFile('recorded'), loop: true, seconds: 120 });
  t.after(() => started.client.stop());
  await started.client.event('connected');
  return started;
}

test('40 members join, lose nothing, and the sampled ones decrypt', { timeout: 90000 }, async (t) => {
  const { link } = await room(t);
  const directory = mkdtempSync(join(tmpdir(), 'alcove-e2e-load-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const html = join(directory, 'report.html');
  const { status, report, messages } = await load(link, '--members', '40', '--rate', '20', '--seconds', '6', '--sample', '5', '--html', html);
  assert.equal(status, 0, messages.join('\n'));
  assert.deepEqual([report.requested, report.joined, report.with_sound, report.failed], [40, 40, 40, 0]);
  assert.deepEqual(report.failures, []);
  assert.deepEqual([report.packets.lost, report.packets.unauthenticated, report.packets.members_with_loss], [0, 0, 0]);
  // Everybody was in for six seconds of speech.
  assert.ok(report.packets.received > 40 * 150, `${report.packets.received} packets`);
  assert.ok(report.packets.authenticated > 0);
  assert.ok(report.packets.authenticated < report.packets.received / 2);
  assert.deepEqual([report.sample.members, report.sample.silent, report.sample.not_opened], [5, 0, 0]);
  assert.ok(report.sample.opened > 5 * 150, `${report.sample.opened} frames`);
  for (const times of [report.join_ms.admitted, report.join_ms.connected, report.join_ms.first_packet]) {
    assert.equal(times.count, 40);
    assert.ok(times.p50 > 0 && times.p50 <= times.p95 && times.p95 <= times.p99 && times.p99 <= times.max);
  }
  assert.ok(report.timeline.length >= 7);
  assert.equal(Math.max(...report.timeline.map((second) => second.inside)), 40);
  // A line a second, since nobody looks at a terminal here.
  assert.ok(messages.some((line) => /40 in, 0 joining/.test(line)), messages.join('\n'));
  const page = readFileSync(html, 'utf8');
  assert.equal(page.match(/<svg/g).length, 5);
  assert.ok(!/<script|src=|href=/.test(page));
  console.log(`# joins: half within ${report.join_ms.admitted.p50.toFixed(0)} ms, worst gap ${report.gap_ms.worst.max.toFixed(0)} ms`);
});

test('members come and go, and nobody fails', { timeout: 90000 }, async (t) => {
  const { link, client } = await room(t);
  const { status, report, messages } = await load(link, '--members', '20', '--rate', '10', '--seconds', '5', '--profile', 'churn', '--sample', '2');
  assert.equal(status, 0, messages.join('\n'));
  assert.ok(report.requested >= 60, `${report.requested} joins`);
  assert.deepEqual([report.joined, report.failed, report.packets.lost], [report.requested, 0, 0]);
  assert.equal(report.sample.not_opened, 0);
  // They have left: the log says so.
  await client.event('log', (e) => e.roster_size === 1, 30000);
});

test('what cannot be loaded says why', { timeout: 30000 }, async () => {
  const gone = await load(`${server.origin}/r/AAAAAAAAAAAAAAAAAAAAAA`, '--members', '3');
  assert.equal(gone.status, 2);
  assert.deepEqual(gone.report.failures.map((f) => [f.reason, f.count]), [['room.not_found', 3]]);
  const nowhere = await load('http://127.0.0.1:9/r/AAAAAAAAAAAAAAAAAAAAAA', '--members', '3');
  assert.equal(nowhere.status, 3);
  assert.match(nowhere.messages.join('\n'), /127\.0\.0\.1:9/);
  assert.equal((await load('nonsense')).status, 1);
  assert.equal((await load(`${server.origin}/r/AAAAAAAAAAAAAAAAAAAAAA`, '--rate', '0')).status, 1);
});
