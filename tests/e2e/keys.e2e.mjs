// Nobody else can hear: three kinds of clients under one room's keys, what the relay has of it, what the operator has,
// and a room that comes back when its only stage member reloads.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { joinAs, recordingFile, startRoomAs } from './lib/client.mjs';
import { bestCorrelation, envelopeOf, envelopeOfFile, firstSound } from './lib/envelope.mjs';
import { speakInto } from './lib/firefox.mjs';
import { bringToStage, button, newAccount, region } from './lib/people.mjs';
import { until } from './lib/processes.mjs';
import { recordTraffic } from './lib/recording_proxy.mjs';
import { byteCorrelations, decodePayloads, readRelayView } from './lib/relay_view.mjs';
import { freePort, startServer } from './lib/server.mjs';
import { speechFile } from './lib/speech.mjs';
import { assertHeard, bringFirefoxToStage, guestInChromium, hostInChromium, openFirefoxAt } from './lib/stories.mjs';

let server;
let proxyPort;
before(async () => {
  // Clients go where the manifest says: the recorder in front of the server is a way to it, too.
  const port = await freePort();
  proxyPort = await freePort();
  server = await startServer({ port, config: { http: { public_hosts: [`127.0.0.1:${port}`, `127.0.0.1:${proxyPort}`] } } });
});
after(async () => { await server?.stop(); });

test('Chromium, Firefox and alcove-client speak in turn, and each is heard by the others', { timeout: 240000 }, async (t) => {
  const recorded = envelopeOfFile(speechFile('recorded'));
  const synthetic = envelopeOfFile(speechFile('synthetic'));
  const chromium = await hostInChromium(t, server.origin, 'Three kinds of clients', { speak: speechFile('recorded') });

  const firefox = await openFirefoxAt(t, chromium.link);
  const firefoxHears = firefox.record();
  await bringFirefoxToStage(chromium.page, firefox.page);

  const file = recordingFile('three-native');
  const native = joinAs(chromium.link, {
    name: 'Native Nils', record: file, speak: speechFile('synthetic'), loop: true, seconds: 110, extra: ['--raise-hand', '--accept'],
  });
  t.after(() => native.stop());
  await native.event('connected');
  await region(chromium.page, 'Raised hands').getByRole('button', { name: 'Invite to stage' }).click();
  await native.event('moved', (e) => e.to === 'stage');
  native.say('mute');
  const began = Date.now();
  const nativeAt = () => Math.round((Date.now() - native.events.find((e) => e.event === 'joined' || e.event === 'connected').at) / 10);

  // Chromium's microphone is on from the start: the first turn.
  const chromiumFrom = envelopeOf(firefoxHears.samples()).length;
  await wait(12000);
  const firefoxHeardChromium = envelopeOf(firefoxHears.samples()).subarray(chromiumFrom);
  const nativeTurn1 = nativeAt();
  await button(chromium.page, 'Mute').click();
  await wait(1500);

  let from = (await chromium.heard()).frames.length;
  const nativeTurn2 = nativeAt();
  const speaking = speakInto(firefox.sound, speechFile('recorded'));
  t.after(() => speaking.stop());
  await wait(12000);
  speaking.stop();
  const chromiumHeardFirefox = (await chromium.heard()).frames.subarray(from);
  await wait(2500);

  const nativeTurn3 = nativeAt();
  from = (await chromium.heard()).frames.length;
  const firefoxFrom = envelopeOf(firefoxHears.samples()).length;
  native.say('unmute');
  await wait(11000);
  const chromiumHeardNative = (await chromium.heard()).frames.subarray(from);
  const firefoxHeardNative = envelopeOf(firefoxHears.samples()).subarray(firefoxFrom);
  native.say('leave');
  assert.equal(await native.finished(), 0, native.messages.join('\n'));
  assert.ok(Date.now() - began < 110000);

  assertHeard('Firefox, of Chromium', recorded, firefoxHeardChromium);
  assertHeard('Chromium, of Firefox', recorded, chromiumHeardFirefox);
  assertHeard('Chromium, of alcove-client', synthetic, chromiumHeardNative);
  assertHeard('Firefox, of alcove-client', synthetic, firefoxHeardNative);
  const nativeHeard = envelopeOfFile(file);
  assertHeard('alcove-client, of Chromium', recorded, nativeHeard.subarray(Math.max(0, nativeTurn1 - 1000), nativeTurn1));
  assertHeard('alcove-client, of Firefox', recorded, nativeHeard.subarray(nativeTurn2, nativeTurn3));
  assert.ok(native.events.every((e) => e.event !== 'warning' || e.code === 'device_changed'), JSON.stringify(native.events.filter((e) => e.event === 'warning')));
  assert.deepEqual(chromium.problems, []);
});

test('what the relay has after SRTP is of one size, does not decode, and does not follow the speech', { timeout: 120000 }, async (t) => {
  const source = envelopeOfFile(speechFile('recorded'));
  const speaker = await hostInChromium(t, server.origin, 'Only noise for the relay', { speak: speechFile('recorded') });
  const file = recordingFile('relay-view');
  const view = `${file}.payloads`;
  // A relay hands payloads on as they are: what leaves SRTP at a listener is what it had.
  const listener = joinAs(speaker.link, { name: 'Native Nils', record: file, seconds: 14, extra: ['--relay-view', view] });
  assert.equal(await listener.finished(), 0, listener.messages.join('\n'));
  assertHeard('the listener', source, envelopeOfFile(file));

  const payloads = readRelayView(view);
  assert.ok(payloads.length > 500, `only ${payloads.length} payloads`);
  const sizes = new Set(payloads.map(({ bytes }) => bytes.length));
  assert.deepEqual([...sizes], [160]);
  const decoded = await decodePayloads(payloads);
  const asAudio = bestCorrelation(source, decoded.envelope);
  console.log(`# taken as Opus, ${decoded.failed} of ${payloads.length} are refused, the rest follows the speech with ${asAudio.correlation.toFixed(3)}`);
  assert.ok(asAudio.correlation < 0.6, `the payloads decode to something like the speech: ${asAudio.correlation}`);
  // The control: the recording has the loudness of each payload's 20 ms.
  const loudest = byteCorrelations(payloads, envelopeOfFile(file));
  console.log(`# of all bytes after the header none follows the loudness by more than ${loudest.most.toFixed(3)}; the ones counted by ${loudest.ones.toFixed(3)}`);
  assert.ok(loudest.most < 0.3, `byte ${loudest.offset} follows the loudness: ${loudest.most}`);
  assert.ok(Math.abs(loudest.ones) < 0.2);
});

test('no key of the run is in what the operator stored, received, sent or logged', { timeout: 120000 }, async (t) => {
  const proxy = await recordTraffic(server.port, proxyPort);
  t.after(() => proxy.close());
  const origin = `http://127.0.0.1:${proxy.port}`;
  const logs = ['host', 'guest', 'removed'].map((who) => `${recordingFile(`keys-${who}`)}.keys`);
  const account = await newAccount(server.origin);
  const { client: host, link } = await startRoomAs(origin, {
    ...account, title: 'Seen by the operator', speak: speechFile('synthetic'), loop: true, seconds: 60, extra: ['--invite-all', '--key-log', logs[0]],
  });
  t.after(() => host.stop());
  const guest = joinAs(link, { name: 'Gail', speak: speechFile('recorded'), seconds: 25, extra: ['--raise-hand', '--accept', '--key-log', logs[1]] });
  await guest.event('moved', (e) => e.to === 'stage');
  const removed = joinAs(link, { name: 'Rogue', seconds: 20, extra: ['--key-log', logs[2]] });
  await removed.event('connected');
  await wait(2000);
  host.say('remove Rogue');
  assert.notEqual(await removed.finished(), 0);
  await wait(4000);
  host.say('new-link');
  await wait(3000);
  host.say('leave');
  await host.finished();
  guest.stop();
  await guest.finished();

  const secrets = logs.flatMap((file) => readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(' ')));
  const kinds = new Set(secrets.map(([kind]) => kind));
  for (const kind of ['leaf', 'encryption', 'epoch', 'link_secret']) assert.ok(kinds.has(kind), `no ${kind} in the key logs: ${[...kinds]}`);
  assert.ok(secrets.length > 10, `only ${secrets.length} keys`);
  const seen = [
    ['the database', readFileSync(join(server.directory, 'alcove.db'))],
    ['the log', Buffer.from(server.log.join('\n'))],
    ...proxy.streams(),
  ];
  const bytes = seen.reduce((sum, [, data]) => sum + data.length, 0);
  console.log(`# ${secrets.length} keys sought in ${Math.round(bytes / 1024)} KiB of ${seen.length} places`);
  assert.ok(bytes > 50_000, 'next to nothing was recorded');
  // The control: what is not secret is found.
  const title = Buffer.from('Seen by the operator');
  assert.ok(seen.some(([, data]) => data.includes(title)), 'the recorder does not see what was sent');
  for (const [kind, hex] of secrets) {
    const key = Buffer.from(hex, 'hex');
    assert.ok(key.length >= 16, `${kind} is too short to look for`);
    const forms = [key, Buffer.from(hex), Buffer.from(key.toString('base64').replace(/=+$/, '')), Buffer.from(key.toString('base64url'))];
    for (const [where, data] of seen)
      for (const form of forms) assert.ok(!data.includes(form), `a key (${kind}) is in ${where}`);
  }
});

test('a room comes back when its only stage member reloads', { timeout: 120000 }, async (t) => {
  const host = await hostInChromium(t, server.origin, 'Back again', { speak: speechFile('synthetic') });
  const listener = await guestInChromium(t, host.link, 'Listening Lee');
  await until('sound', async () => firstSound((await listener.heard()).frames) >= 0, { timeout: 15000 });
  await host.page.reload();
  await Promise.race([region(host.page, 'Stage').waitFor(), button(host.page, 'Join').waitFor()]);
  if (await button(host.page, 'Join').isVisible()) await button(host.page, 'Join').click();
  await until('the stage controls', async () => (await button(host.page, 'Go on stage').isVisible()) || (await button(host.page, 'Mute').isVisible())
    || (await button(host.page, 'Unmute').isVisible()));
  if (await button(host.page, 'Go on stage').isVisible()) await button(host.page, 'Go on stage').click();
  else if (await button(host.page, 'Unmute').isVisible()) await button(host.page, 'Unmute').click();
  const from = (await listener.heard()).frames.length;
  await until('sound again', async () => firstSound((await listener.heard()).frames, from) >= 0, { timeout: 15000 });
  // And somebody new is let in by the one who came back.
  const late = await guestInChromium(t, host.link, 'Second Voice');
  await until('sound for who came later', async () => firstSound((await late.heard()).frames) >= 0, { timeout: 15000 });
});

test('a speaker is moved down and comes back to the stage; a removed guest is out', { timeout: 150000 }, async (t) => {
  const host = await hostInChromium(t, server.origin, 'Stage and out');
  const guest = await guestInChromium(t, host.link, 'Sam Speaker', { speak: speechFile('synthetic') });
  await bringToStage(host.page, guest.page);
  await until('sound', async () => firstSound((await host.heard()).frames) >= 0, { timeout: 15000 });
  await region(host.page, 'Stage').getByRole('button', { name: /Sam Speaker/ }).first().click();
  await button(host.page, 'Move to audience').first().click();
  await button(guest.page, 'Raise hand').waitFor();
  await bringToStage(host.page, guest.page);
  const from = (await host.heard()).frames.length;
  await until('sound from the second stay', async () => firstSound((await host.heard()).frames, from) >= 0, { timeout: 15000 });
});
