// The server and the native client alone, without a browser: what TSan runs too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinAs, recordingFile, startRoomAs, verify } from './lib/client.mjs';
import { bestCorrelation, envelopeOfFile } from './lib/envelope.mjs';
import { newAccount } from './lib/people.mjs';
import { startServer } from './lib/server.mjs';
import { speechFile } from './lib/speech.mjs';

let server;
before(async () => { server = await startServer({ config: { media: { threads: 2 } } }); });
after(async () => { assert.equal(await server?.stop(), 0); });

async function room(t, options = {}) {
  const account = await newAccount(server.origin);
  const started = await startRoomAs(server.origin, { ...account, title: 'Native', speak: speechFile('synthetic'), loop: true, seconds: 60, ...options });
  t.after(() => started.client.stop());
  return { ...started, account };
}

function assertHeard(file) {
  const { correlation } = bestCorrelation(envelopeOfFile(speechFile('synthetic')), envelopeOfFile(file));
  console.log(`# envelope correlation ${correlation.toFixed(3)}`);
  assert.ok(correlation >= 0.9, `heard with ${correlation.toFixed(3)}`);
}

test('a native listener hears a native speaker over UDP', { timeout: 60000 }, async (t) => {
  const { link } = await room(t);
  const file = recordingFile('native-udp');
  const listener = joinAs(link, { name: 'Nils', record: file, seconds: 9, extra: ['--udp-only'] });
  assert.equal(await listener.finished(), 0, listener.messages.join('\n'));
  assertHeard(file);
});

test('and over TCP', { timeout: 60000 }, async (t) => {
  const { link } = await room(t);
  const file = recordingFile('native-tcp');
  const listener = joinAs(link, { name: 'Tove', record: file, seconds: 9, extra: ['--tcp-only'] });
  assert.equal(await listener.finished(), 0, listener.messages.join('\n'));
  assertHeard(file);
});

test('a hand is raised, invited, accepted; then the guest speaks', { timeout: 60000 }, async (t) => {
  const { client, link } = await room(t, { speak: undefined, loop: false, extra: ['--invite-all'] });
  const guest = joinAs(link, { name: 'Gail', speak: speechFile('synthetic'), loop: true, seconds: 30, extra: ['--raise-hand', '--accept'] });
  t.after(() => guest.stop());
  await client.event('hand');
  const file = recordingFile('native-guest');
  const listener = joinAs(link, { name: 'Nils', record: file, seconds: 10 });
  assert.equal(await listener.finished(), 0, listener.messages.join('\n'));
  assertHeard(file);
});

test('the moderator ends the room: everybody is told and leaves with status 5', { timeout: 30000 }, async (t) => {
  const { client, link } = await room(t, { speak: undefined, loop: false });
  const listener = joinAs(link, { name: 'Nils', seconds: 20 });
  await listener.event('connected');
  client.say('end');
  assert.equal(await listener.finished(), 5);
  assert.ok(listener.events.some((e) => e.event === 'ended'));
});

test('the log of the room is verified from outside, and an exported one without a network', { timeout: 60000 }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'alcove-e2e-log-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'room.log');
  const { client, link } = await room(t, { speak: undefined, loop: false, extra: ['--export-log', file] });
  const code = (await client.event('room_code')).code;
  const guest = joinAs(link, { name: 'Gail', seconds: 40 });
  t.after(() => guest.stop());
  await guest.event('joined');
  assert.deepEqual([(await guest.event('room_code')).code, (await guest.event('room_code')).compared], [code, true]);
  guest.say('roster');
  assert.equal((await guest.event('roster')).count, 2);

  const outside = await verify(link);
  assert.equal(outside.status, 0, JSON.stringify(outside));
  assert.equal(outside.events.find((e) => e.event === 'room').code, code);
  assert.equal(outside.events.filter((e) => e.event === 'stage_member').length, 1);
  const uncompared = await verify(link.split('#')[0]);
  assert.equal(uncompared.status, 0);
  assert.equal(uncompared.events.find((e) => e.event === 'room').compared, false);
  // Another room's fingerprint in the link.
  const [path, fragment] = link.split('#');
  const forged = `${path}#${fragment[0] === 'A' ? 'B' : 'A'}${fragment.slice(1)}`;
  assert.equal((await verify(forged)).status, 1);
  const refused = joinAs(forged, { name: 'Nils', seconds: 5 });
  assert.equal(await refused.finished(), 2);
  assert.equal((await verify('http://127.0.0.1:9/r/AAAAAAAAAAAAAAAAAAAAAA')).status, 2);

  client.say('lock');
  await guest.event('log', (e) => e.locked);
  client.say('remove Gail');
  assert.equal(await guest.finished(), 5, guest.messages.join('\n'));
  assert.ok(guest.events.some((e) => e.event === 'removed'));
  client.say('leave');
  assert.equal(await client.finished(), 0);
  const offline = await verify('--log', file);
  assert.equal(offline.status, 0, JSON.stringify(offline));
  const log = offline.events.find((e) => e.event === 'log');
  assert.deepEqual([log.complete_from, log.admitted, log.ejected], [1, 2, 1]);
  const bytes = readFileSync(file);
  bytes[bytes.length - 3] ^= 1;
  writeFileSync(file, bytes);
  assert.equal((await verify('--log', file)).status, 1);
});

test('what cannot be joined says why, with the status that a script relies on', { timeout: 30000 }, async () => {
  const gone = joinAs(`${server.origin}/r/AAAAAAAAAAAAAAAAAAAAAA`, { name: 'Nils', seconds: 5 });
  assert.equal(await gone.finished(), 2);
  assert.match(gone.messages.join('\n'), /room/i);
  const nowhere = joinAs('http://127.0.0.1:9/r/AAAAAAAAAAAAAAAAAAAAAA', { name: 'Nils', seconds: 5 });
  assert.equal(await nowhere.finished(), 3);
  const nonsense = joinAs('not a link', { name: 'Nils' });
  assert.equal(await nonsense.finished(), 1);
});
