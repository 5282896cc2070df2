// Bad input is normal input: floods on the media port and nonsense on the HTTP port change nothing for a running room.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { call } from './lib/api.mjs';
import { joinAs, recordingFile, startRoomAs } from './lib/client.mjs';
import { bestCorrelation, envelopeOfFile } from './lib/envelope.mjs';
import { newAccount } from './lib/people.mjs';
import { start } from './lib/processes.mjs';
import { startServer } from './lib/server.mjs';
import { speechFile } from './lib/speech.mjs';

const here = dirname(fileURLToPath(import.meta.url));
let server;
before(async () => { server = await startServer(); });
after(async () => { assert.equal(await server?.stop(), 0); });

const residentKiB = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]);

async function speakingRoom(t, title) {
  const account = await newAccount(server.origin);
  const { client, link } = await startRoomAs(server.origin, { ...account, title, speak: speechFile('recorded'), loop: true, seconds: 90 });
  t.after(() => client.stop());
  return link;
}

test('50,000 bad datagrams a second for 10 s change nothing for a running room', { timeout: 90000 }, async (t) => {
  const link = await speakingRoom(t, 'Under fire');
  const file = recordingFile('flood');
  const listener = joinAs(link, { name: 'Nils', record: file, seconds: 16 });
  await listener.event('first_audio');
  const before = residentKiB();
  const flood = start(['python3', join(here, 'lib/flood.py'), '127.0.0.1', String(server.mediaPort), '50000', '10']);
  let report = '';
  flood.stdout.on('data', (text) => { report += text; });
  flood.stderr.on('data', (text) => process.stderr.write(text));
  assert.equal(await listener.finished(), 0, listener.messages.join('\n'));
  const sent = Number(/sent (\d+)/.exec(report)?.[1] ?? 0);
  const media = listener.events.filter((e) => e.event === 'media').at(-1);
  const { correlation } = bestCorrelation(envelopeOfFile(speechFile('recorded')), envelopeOfFile(file), { seconds: 8 });
  console.log(`# flood: ${report.trim()}; correlation ${correlation.toFixed(3)}; lost ${media?.lost} of ${media?.received}; memory ${before} -> ${residentKiB()} KiB`);
  assert.ok(sent >= 400000, `the flood reached only ${sent} datagrams`);
  assert.ok(correlation >= 0.9, `heard with ${correlation.toFixed(3)} during the flood`);
  assert.ok(residentKiB() - before < 20 * 1024, 'memory grew');
});

/** Sends raw bytes; resolves to what came back until the server closed, or "open" after the time. */
function raw(bytes, { forMs = 3000, pieces } = {}) {
  return new Promise((resolve) => {
    const socket = connect(server.port, '127.0.0.1');
    let answer = '';
    const timer = setTimeout(() => { socket.destroy(); resolve({ answer, closed: false }); }, forMs);
    socket.on('data', (data) => { answer += data.toString('latin1'); });
    socket.on('error', () => {});
    socket.on('close', () => { clearTimeout(timer); resolve({ answer, closed: true }); });
    socket.on('connect', async () => {
      if (!pieces) socket.write(bytes);
      else for (const piece of pieces) { if (!socket.destroyed) socket.write(piece); await wait(5); }
    });
  });
}

test('nonsense over HTTP gets an error or is cut, and memory stays flat', { timeout: 120000 }, async () => {
  const before = residentKiB();
  const status = ({ answer }) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
  assert.equal(status(await raw('GARBAGE\r\n\r\n')), 400);
  const big = await raw(`POST /v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n`);
  assert.equal(status(big), 413);
  const header = await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100000)}\r\n\r\n`);
  assert.ok([400, 431].includes(status(header)) || header.closed, header.answer.slice(0, 80));
  const random = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919 + 13) % 251));
  assert.ok((await raw(random)).closed);
  // A body that never ends, in chunks.
  const chunk = Buffer.from(`4000\r\n${'x'.repeat(0x4000)}\r\n`);
  const chunked = await raw('', { forMs: 8000, pieces: [`POST /v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`, ...Array(400).fill(chunk)] });
  assert.ok(chunked.closed || status(chunked) === 413, 'an endless body was read on');
  // Nothing at all: cut within the time for a header.
  const quiet = await Promise.all(Array.from({ length: 50 }, () => raw('', { forMs: 20000 })));
  assert.ok(quiet.every((one) => one.closed), 'a silent connection was kept');
  // JSON that is deep, wrong, or not JSON.
  for (const body of ['[', '{"username":1e999}', '['.repeat(60000), '{"username":"\\ud800"}', '\u0000', '{"nonsense":true}']) {
    const response = await fetch(`${server.origin}/v1/accounts`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    assert.equal(response.status, 400, `${body.slice(0, 20)} answered ${response.status}`);
    assert.equal((await response.json()).code, 'invalid_argument');
  }
  assert.equal((await call(server.origin, 'GET', '/../../etc/passwd')).text.includes('root:'), false);
  assert.equal((await raw('GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).answer.includes('root:'), false);
  const grown = residentKiB() - before;
  console.log(`# memory grew by ${grown} KiB`);
  assert.ok(grown < 20 * 1024, `memory grew by ${grown} KiB`);
  assert.equal((await fetch(`${server.origin}/readyz`)).status, 200);
});

test('a WebSocket that sends nonsense, or nothing, is cut', { timeout: 60000 }, async () => {
  const upgrade = `GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
  const quiet = await raw(upgrade, { forMs: 15000 });
  assert.match(quiet.answer, /101/);
  assert.ok(quiet.closed, 'a WebSocket that never said hello was kept');
  const nonsense = await raw('', { forMs: 15000, pieces: [upgrade, Buffer.alloc(5000, 0xa5)] });
  assert.ok(nonsense.closed);
});

test('a wrong password is refused in words, and guessing is slowed down', { timeout: 60000 }, async () => {
  const strict = await startServer({ config: { limits: { rate_limit_factor: 1.0 } } });
  const { username } = await newAccount(strict.origin);
  const statuses = [];
  for (let i = 0; i < 40 && !statuses.includes(429); i++) {
    const answer = await call(strict.origin, 'POST', '/v1/sessions', { body: { username, password: 'wrong wrong wrong' } });
    statuses.push(answer.status);
    if (answer.status === 429) {
      assert.equal(answer.json.reason, 'rate_limited');
      assert.ok(Number(answer.headers.get('retry-after')) > 0);
    } else assert.equal(answer.json.reason, 'account.wrong_password');
  }
  assert.equal(statuses[0], 401);
  assert.equal(statuses.at(-1), 429);
  await strict.stop();
});
