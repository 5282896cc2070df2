// The house's main job: speak in one browser, be heard in another, in Firefox, and by alcove-client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openChromium } from './lib/chromium.mjs';
import { joinAs, recordingFile, startRoomAs } from './lib/client.mjs';
import { bestCorrelation, envelopeOf, envelopeOfFile, isSilent } from './lib/envelope.mjs';
import { fill, openFirefox, press, recordSound, speakInto, startSound } from './lib/firefox.mjs';
import { bringToStage, joinByLink, logIn, newAccount, startRoom } from './lib/people.mjs';
import { until } from './lib/processes.mjs';
import { startServer } from './lib/server.mjs';
import { speechFile } from './lib/speech.mjs';

let server;
before(async () => { server = await startServer(); });
after(async () => { await server?.stop(); });

function assertHeard(who, source, heard, least = 0.9) {
  const result = bestCorrelation(source, heard);
  console.log(`# ${who}: envelope correlation ${result.correlation.toFixed(3)} over ${result.frames / 100} s`);
  assert.ok(result.correlation >= least, `${who} heard the source only with ${result.correlation.toFixed(3)} (${heard.length} frames)`);
}

for (const kind of ['recorded', 'synthetic']) {
  test(`Chromium speaks ${kind} speech; Chromium, Firefox and alcove-client hear it`, { timeout: 120000 }, async (t) => {
    const source = envelopeOfFile(speechFile(kind));
    const speaker = await openChromium({ speak: speechFile(kind) });
    t.after(() => speaker.close());
    const sound = await startSound();
    t.after(() => sound.stop());
    await logIn(speaker.page, server.origin, await newAccount(server.origin));
    const link = await startRoom(speaker.page, `Speech, ${kind}`);

    const listener = await openChromium();
    t.after(() => listener.close());
    await joinByLink(listener.page, link, 'Listening Lee');

    const firefox = await openFirefox({ sound });
    t.after(() => firefox.close());
    await firefox.page.goto(link);
    await fill(firefox.page, 'Your name', 'Firefox Fay');
    await press(firefox.page, 'button', 'Join');
    const firefoxHears = recordSound(sound);
    t.after(() => firefoxHears.stop());

    const file = recordingFile(`stage-${kind}`);
    const native = joinAs(link, { name: 'Native Nils', record: file, seconds: 13 });
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
  const sound = await startSound();
  t.after(() => sound.stop());
  const moderator = await openChromium();
  t.after(() => moderator.close());
  await logIn(moderator.page, server.origin, await newAccount(server.origin));
  const link = await startRoom(moderator.page, 'Firefox speaks');
  const firefox = await openFirefox({ sound });
  t.after(() => firefox.close());
  await firefox.page.goto(link);
  await fill(firefox.page, 'Your name', 'Firefox Fay');
  await press(firefox.page, 'button', 'Join');
  await press(firefox.page, 'button', 'Raise hand');
  await moderator.page.getByRole('region', { name: 'Raised hands' }).getByRole('button', { name: 'Invite to stage' }).click();
  await press(firefox.page, 'button', 'Accept');
  await press(firefox.page, 'button', 'Go on stage');
  const speaking = speakInto(sound, speechFile('recorded'));
  t.after(() => speaking.stop());
  const file = recordingFile('firefox-speaks');
  const native = joinAs(link, { name: 'Native Nils', record: file, seconds: 14 });
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
  const listener = await openChromium();
  t.after(() => listener.close());
  await joinByLink(listener.page, link, 'Listening Lee');
  await until('9 s of sound', async () => (await listener.heard()).frames.length > 900, { timeout: 30000, every: 300 });
  assertHeard('Chromium', source, (await listener.heard()).frames);
});

test('two people on stage hear each other, and not themselves', { timeout: 90000 }, async (t) => {
  const host = await openChromium({ speak: speechFile('recorded') });
  t.after(() => host.close());
  await logIn(host.page, server.origin, await newAccount(server.origin));
  const link = await startRoom(host.page, 'A talk between two');
  const guest = await openChromium({ speak: speechFile('synthetic') });
  t.after(() => guest.close());
  await joinByLink(guest.page, link, 'Second Voice');
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
  const host = await openChromium();
  t.after(() => host.close());
  await logIn(host.page, server.origin, await newAccount(server.origin));
  const link = await startRoom(host.page, 'Silence');
  const listener = await openChromium();
  t.after(() => listener.close());
  await joinByLink(listener.page, link, 'Listening Lee');
  const file = recordingFile('silence');
  const native = joinAs(link, { name: 'Native Nils', record: file, seconds: 6 });
  assert.equal(await native.finished(), 0, native.messages.join('\n'));
  const heard = envelopeOfFile(file);
  assert.ok(heard.length > 400, `recorded only ${heard.length} frames`);
  assert.ok(isSilent(heard), 'alcove-client heard something');
  const inBrowser = (await listener.heard()).frames;
  assert.ok(inBrowser.length > 300, `the browser's recorder ran for only ${inBrowser.length} frames`);
  assert.ok(isSilent(inBrowser), 'the browser heard something');
});
