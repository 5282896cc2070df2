// The reviewer's tool against ourselves: what real clients of a real server put on the wire is captured and audited with
// the server's own policy and manifest, and so is a client built to leak.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { audit, captureClient, elsewhere, host, makeAuditWorld } from './lib/audit_world.mjs';
import { openChromium } from './lib/chromium.mjs';
import { joinAs, recordingFile, startRoomAs } from './lib/client.mjs';
import { bestCorrelation, envelopeOfFile } from './lib/envelope.mjs';
import { namespacesAllowed } from './lib/netns.mjs';
import { joinByLink } from './lib/people.mjs';
import { lines, until } from './lib/processes.mjs';
import { speechFile } from './lib/speech.mjs';
import { fileURLToPath } from 'node:url';

const skip = namespacesAllowed() ? false : 'needs the right to make network namespaces (root)';
const password = 'correct horse battery';
const title = 'The quiet harbour talk';
let world;
let manifest;
before(async () => {
  if (skip) return;
  world = await makeAuditWorld();
  world.exec('client', 'node', '-e', `fetch('${world.origin}/v1/accounts', {method: 'POST', headers: {'content-type': 'application/json'},
    body: JSON.stringify({username: 'harbourmaster', password: '${password}'})}).then((r) => process.exit(r.ok ? 0 : 1))`);
  manifest = join(world.directory, 'manifest.json');
  writeFileSync(manifest, world.exec('client', 'node', '-e',
    `fetch('${world.origin}/.well-known/alcove/manifest', {headers: {accept: 'application/json'}}).then((r) => r.text()).then(console.log)`));
});
after(() => world?.close());

const codes = (report) => [...new Set(report.findings.map((finding) => finding.code))].sort();
const found = (report, code) => report.findings.filter((finding) => finding.code === code);

/** People of a room in the client's namespace: one speaks, a browser and a native client hear. */
async function talk(t, { keys } = {}) {
  const common = ['--ca-file', world.authority];
  const { client, link } = await startRoomAs(world.origin, {
    username: 'harbourmaster', password, title, speak: speechFile('recorded'), loop: true, seconds: 60, namespace: world.names.client, extra: common,
  });
  t.after(() => client.stop());
  // Chromium looks its maker's hosts up by itself: here it knows one name, and whatever else is on the wire is the app's.
  const args = ['--ignore-certificate-errors', `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${host}`];
  const browser = await openChromium({ namespace: world.names.client, granted: false, args });
  t.after(() => browser.close());
  await joinByLink(browser.page, link, 'Listening Lee');
  const file = recordingFile('audited');
  const native = joinAs(link, { name: 'Nils Nordlicht', record: file, seconds: 10, namespace: world.names.client, extra: [...common, ...(keys ? ['--tls-key-log', keys] : [])] });
  assert.equal(await native.finished(), 0, native.messages.join('\n'));
  await until('12 s of sound', async () => (await browser.heard()).frames.length > 800, { timeout: 40000, every: 500 });
  const heard = bestCorrelation(envelopeOfFile(speechFile('recorded')), (await browser.heard()).frames, { seconds: 6 });
  assert.ok(heard.correlation > 0.9, `Chromium heard with ${heard.correlation}`);
  await browser.close();
  await client.stop();
  return { link, identifiers: [new URL(link).pathname.split('/').pop(), 'harbourmaster', title, 'Listening Lee', 'Nils Nordlicht', new URL(link).hash.slice(1), password] };
}

test('our own traffic, audited with its policy and manifest, is clean', { skip, timeout: 180000 }, async (t) => {
  const capture = await captureClient(world, 'clean');
  const keys = join(world.directory, 'keys.txt');
  const { identifiers } = await talk(t, { keys });
  const file = await capture.stop();

  const outside = audit(world, file, { manifest, identifiers });
  assert.equal(outside.status, 0, JSON.stringify(outside.report?.findings ?? outside.text, null, 1).slice(0, 4000));
  // It did look: at media both ways, and at TLS.
  const { report } = outside;
  assert.ok(report.media.length >= 3, `${report.media.length} media streams`);
  assert.ok(report.media.every((stream) => stream.protection === 'encrypted' || stream.packets < 50), JSON.stringify(report.media.map((s) => [s.protection, s.packets])));
  assert.ok(report.flows.some((flow) => flow.application === 'tls') && report.flows.every((flow) => flow.denied === false));
  console.log(`# ${report.capture.frames} frames, ${report.flows.length} flows, findings that are no alarm: ${codes(report).join(' ')}`);

  // With the hop's keys, which is what the relay has: what is inside is encrypted once more.
  const inside = audit(world, file, { manifest, identifiers, keys });
  assert.equal(inside.status, 0, JSON.stringify(inside.report?.findings ?? inside.text, null, 1).slice(0, 4000));
  assert.ok(found(inside.report, 'AUD-308').length > 0, `keys opened nothing: ${codes(inside.report)}`);
  assert.equal(found(inside.report, 'AUD-307').length, 0);
});

test('a client built to leak: every leak is found', { skip, timeout: 120000 }, async () => {
  const capture = await captureClient(world, 'leaky');
  const places = [`${elsewhere.plainHouse}:80`, `${elsewhere.deniedCountry}:8000`, `${elsewhere.deniedCountry}:25000`, `${elsewhere.deniedOwner}:4001`];
  const answerer = world.start('server', process.execPath, fileURLToPath(new URL('lib/answerer.mjs', import.meta.url)), ...places);
  await new Promise((resolve) => lines(answerer.stdout).once('line', resolve));
  const identifiers = ['4000123457', 'mWvXQ9ab'];
  world.exec('client', process.execPath, fileURLToPath(new URL('lib/leaky_app.mjs', import.meta.url)), JSON.stringify({ elsewhere, identifiers }));
  answerer.kill();
  const { status, report, text } = audit(world, await capture.stop(), { manifest, identifiers });
  assert.equal(status, 1, text.slice(0, 2000));
  const expected = ['AUD-101', 'AUD-102', 'AUD-104', 'AUD-105', 'AUD-106', 'AUD-201', 'AUD-202', 'AUD-204', 'AUD-205', 'AUD-206', 'AUD-207', 'AUD-210', 'AUD-213',
    'AUD-301', 'AUD-303', 'AUD-306', 'AUD-310'];
  assert.deepEqual(expected.filter((code) => !codes(report).includes(code)), [], `found ${codes(report)}`);
  // Counted on the wire by somebody else: tshark.
  const count = (filter) => Number(world.exec('client', 'sh', '-c', `tshark -r ${capture.file} -Y '${filter}' 2>/dev/null | wc -l`));
  const packetsOf = (code) => found(report, code).reduce((sum, finding) => sum + finding.count, 0);
  assert.equal(packetsOf('AUD-101'), count(`ip.addr == ${elsewhere.deniedCountry}`));
  assert.equal(packetsOf('AUD-102'), count(`ip.addr == ${elsewhere.deniedOwner}`));
  // And nothing else is blamed for where it went.
  const blamed = (code) => found(report, code).map(({ subject }) => subject.replace(/[:/].*/, ''));
  assert.ok(blamed('AUD-101').every((address) => address === elsewhere.deniedCountry), `${blamed('AUD-101')}`);
  assert.ok(blamed('AUD-102').every((address) => address === elsewhere.deniedOwner), `${blamed('AUD-102')}`);
});
