// The house's main job: speak in one browser, be heard in another, in Firefox, and by alcove-client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { joinAs, recordingFile, startRoomAs } from './lib/client.mjs';
import { envelopeOf, envelopeOfFile, isSilent } from './lib/envelope.mjs';
import { speakInto } from './lib/firefox.mjs';
import { bringToStage, newAccount } from './lib/people.mjs';
import { until } from './lib/processes.mjs';
import { startServer } from './lib/server.mjs';
import { speechFile } from './lib/speech.mjs';
import { assertHeard, bringFirefoxToStage, guestInChromium, hostInChromium, openFirefoxAt } from './lib/stories.mjs';

let server;
before(async () => { server = await startServer(); });
after(async () => { await server?.stop(); });

for (const kind of ['recorded', 'synthetic']) {
  test(`Chromium speaks ${kind} speech; Chromium, Firefox and alcove-client hear it`, { timeout: 120000 }, async (t) => {
    const source = envelopeOfFile(speechFile(kind));
    const speaker = await hostInChromium(t, server.origin, `Speech, ${kind}`, { speak: speechFile(kind) });
    const listener = await guestInChromium(t, speaker.link, 'Listening Lee');
    const firefoxHears = (await openFirefoxAt(t, speaker.link)).record();
    const file = recordingFile(`stage-${kind}`);
    const native = joinAs(speaker.link, { name: 'Native Nils', record: file, seconds: 13 });
    await native.event('first_audio');
    await until('12 s of sound', async () => (await listener.heard()).frames.length > 1200, { timeout: 40000, every: 500 });
    assert.equal(await native.finished(), 0, native.messages.join('\n'));

    assertHeard('Chromium', source, (await listener.heard()).frames);
    assertHeard('alcove-client', source, envelopeOfFile(file));
    assertHeard('Firefox', source, envelopeOf(firefoxHears.samples()));
    assert.deepEqual(speaker.problems, []);
    assert.deepEqual(listener.problems, []);
  });
}

test('Firefox speaks, Chromium and alcove-client hear it', { timeout: 120000 }, async (t) => {
  const source = envelopeOfFile(speechFile('recorded'));
  const moderator = await hostInChromium(t, server.origin, 'Firefox speaks');
  const firefox = await openFirefoxAt(t, moderator.link);
  await bringFirefoxToStage(moderator.page, firefox.page);
  const speaking = speakInto(firefox.sound, speechFile('recorded'));
  t.after(() => speaking.stop());
  const file = recordingFile('firefox-speaks');
  const native = joinAs(moderator.link, { name: 'Native Nils', record: file, seconds: 14 });
  assert.equal(await native.finished(), 0, native.messages.join('\n'));
  assertHeard('alcove-client', source, envelopeOfFile(file));
  assertHeard('Chromium', source, (await moderator.heard()).frames);
});

test('alcove-client speaks, Chromium hears it', { timeout: 60000 }, async (t) => {
  const source = envelopeOfFile(speechFile('synthetic'));
  const account = await newAccount(server.origin);
  const { client, link } = await startRoomAs(server.origin, {
    ...account, title: 'A native voice', speak: speechFile('synthetic'), loop: true, seconds: 40,
  });
  t.after(() => client.stop());
  const listener = await guestInChromium(t, link, 'Listening Lee');
  await until('9 s of sound', async () => (await listener.heard()).frames.length > 900, { timeout: 30000, every: 300 });
  assertHeard('Chromium', source, (await listener.heard()).frames);
});

test('two people on stage hear each other, and not themselves', { timeout: 90000 }, async (t) => {
  const host = await hostInChromium(t, server.origin, 'A talk between two', { speak: speechFile('recorded') });
  const guest = await guestInChromium(t, host.link, 'Second Voice', { speak: speechFile('synthetic') });
  await bringToStage(host.page, guest.page);
  const from = [(await host.heard()).frames.length, (await guest.heard()).frames.length];
  await wait(9000);
  const hostHeard = (await host.heard()).frames.subarray(from[0]);
  const guestHeard = (await guest.heard()).frames.subarray(from[1]);
  // Two microphones in one house of headless browsers: no echo path, so each hears the other alone.
  assertHeard('the host', envelopeOfFile(speechFile('synthetic')), hostHeard);
  assertHeard('the guest', envelopeOfFile(speechFile('recorded')), guestHeard);
});

test('a room in which nobody speaks stays silent', { timeout: 60000 }, async (t) => {
  const host = await hostInChromium(t, server.origin, 'Silence');
  const listener = await guestInChromium(t, host.link, 'Listening Lee');
  const file = recordingFile('silence');
  const native = joinAs(host.link, { name: 'Native Nils', record: file, seconds: 6 });
  assert.equal(await native.finished(), 0, native.messages.join('\n'));
  const heard = envelopeOfFile(file);
  assert.ok(heard.length > 400, `recorded only ${heard.length} frames`);
  assert.ok(isSilent(heard), 'alcove-client heard something');
  const inBrowser = (await listener.heard()).frames;
  assert.ok(inBrowser.length > 300, `the browser's recorder ran for only ${inBrowser.length} frames`);
  assert.ok(isSilent(inBrowser), 'the browser heard something');
});
