// Who may be heard, measured in sound: moved down, muted, sending anyway, handed over, reloaded.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openChromium } from './lib/chromium.mjs';
import { joinAs, recordingFile, startRoomAs } from './lib/client.mjs';
import { envelopeOfFile, firstSound, isSilent, lastSound } from './lib/envelope.mjs';
import { bringToStage, button, joinByLink, logIn, newAccount, openMenuOf, region, startRoom } from './lib/people.mjs';
import { until } from './lib/processes.mjs';
import { startServer } from './lib/server.mjs';
import { speechFile } from './lib/speech.mjs';

let server;
before(async () => { server = await startServer(); });
after(async () => { await server?.stop(); });

/** Hears, and in time: while browsers start on two cores, jitter buffers grow, and take seconds to shrink again. */
async function hearing(who) {
  await until('sound to arrive', async () => firstSound((await who.heard()).frames) >= 0, { timeout: 20000, every: 100 });
  await until('sound to arrive in time', async () => (await who.jitterDelay()) < 130, { timeout: 45000 });
}
/** Milliseconds after `at` until the last sound in what was heard since; negative when there was none after it. */
async function soundAfter(who, at) {
  const { frames, times } = await who.heard();
  const late = times[lastSound(frames)] - at;
  console.log(`# the last sound came ${Math.round(late)} ms after the click`);
  return late;
}

/** A silent host in Chromium, a speaker in Chromium, a listener in Chromium. */
async function threeInARoom(t, title) {
  const host = await openChromium();
  t.after(() => host.close());
  await logIn(host.page, server.origin, await newAccount(server.origin));
  const link = await startRoom(host.page, title);
  const speaker = await openChromium({ speak: speechFile('synthetic') });
  t.after(() => speaker.close());
  await joinByLink(speaker.page, link, 'Sam Speaker');
  await bringToStage(host.page, speaker.page);
  const listener = await openChromium();
  t.after(() => listener.close());
  await joinByLink(listener.page, link, 'Listening Lee');
  await hearing(listener);
  await hearing(host);
  return { host, speaker, listener, link };
}

test('moved to the audience means silence for everybody within 300 ms', { timeout: 150000 }, async (t) => {
  const { host, speaker, listener } = await threeInARoom(t, 'Moved down');
  await openMenuOf(host.page, 'Sam Speaker');
  const move = button(host.page, 'Move to audience').first();
  await move.waitFor();
  await move.click();
  const at = await host.clickedAt();
  await button(speaker.page, 'Raise hand').waitFor();
  await wait(2500);
  for (const [name, who] of [['the host', host], ['the listener', listener]]) {
    const late = await soundAfter(who, at);
    assert.ok(late < 300, `${name} still heard sound ${late} ms later`);
  }
});

test('mute by a moderator is silence, and only the person unmutes', { timeout: 150000 }, async (t) => {
  const { host, speaker, listener } = await threeInARoom(t, 'Muted');
  await openMenuOf(host.page, 'Sam Speaker');
  await host.page.getByRole('button', { name: 'Mute Sam Speaker', exact: true }).click();
  const at = await host.clickedAt();
  await button(speaker.page, 'Unmute').waitFor();
  await wait(2000);
  assert.ok((await soundAfter(listener, at)) < 500, 'sound after a mute');
  const before = (await listener.heard()).frames.length;
  await button(speaker.page, 'Unmute').click();
  await until('sound again', async () => firstSound((await listener.heard()).frames, before) >= 0, { timeout: 5000 });
});

test('mute by oneself is silence', { timeout: 150000 }, async (t) => {
  const { speaker, listener } = await threeInARoom(t, 'Own mute');
  await button(speaker.page, 'Mute').click();
  const at = await speaker.clickedAt();
  await button(speaker.page, 'Unmute').waitFor();
  await wait(2000);
  assert.ok((await soundAfter(listener, at)) < 300, 'sound after a mute');
});

test('a listener that sends anyway is not heard', { timeout: 60000 }, async (t) => {
  const account = await newAccount(server.origin);
  const { client, link } = await startRoomAs(server.origin, { ...account, title: 'Uninvited', seconds: 40 });
  t.after(() => client.stop());
  const file = recordingFile('uninvited');
  const listener = joinAs(link, { name: 'Nils', record: file, seconds: 8 });
  await listener.event('connected');
  const rogue = joinAs(link, { name: 'Rogue', speak: speechFile('recorded'), loop: true, seconds: 12, extra: ['--send-anyway'] });
  t.after(() => rogue.stop());
  await rogue.event('connected');
  await until('the rogue to have sent', () => rogue.events.some((e) => e.event === 'media' && e.sent > 50), { timeout: 12000 });
  assert.equal(await listener.finished(), 0, listener.messages.join('\n'));
  const heard = envelopeOfFile(file);
  assert.ok(heard.length > 600, `recorded only ${heard.length} frames`);
  assert.ok(isSilent(heard), 'the rogue was heard');
});

test('the last moderator leaves: the longest-standing speaker takes over', { timeout: 150000 }, async (t) => {
  const { host, speaker, listener } = await threeInARoom(t, 'Handover');
  await button(host.page, 'Leave quietly').click();
  await button(speaker.page, 'End room').waitFor();
  const before = (await listener.heard()).frames.length;
  await until('sound to go on', async () => firstSound((await listener.heard()).frames, before) >= 0, { timeout: 8000 });
  await button(speaker.page, 'End room').click();
  const confirm = speaker.page.getByRole('dialog').getByRole('button', { name: 'End room', exact: true });
  await confirm.click({ timeout: 3000 }).catch(() => {});
  await listener.page.getByText(/room (has )?ended|room is over/i).first().waitFor();
});

test('a listener that reloads hears on', { timeout: 150000 }, async (t) => {
  const { listener } = await threeInARoom(t, 'Reload');
  await listener.page.reload();
  await Promise.race([
    region(listener.page, 'Stage').waitFor(),
    button(listener.page, 'Join').waitFor(),
  ]);
  if (await button(listener.page, 'Join').isVisible()) await button(listener.page, 'Join').click();
  await hearing(listener);
});

test('a speaker that reloads is still on stage and heard again', { timeout: 150000 }, async (t) => {
  const { speaker, listener } = await threeInARoom(t, 'Speaker reloads');
  await speaker.page.reload();
  await Promise.race([region(speaker.page, 'Stage').waitFor(), button(speaker.page, 'Join').waitFor()]);
  if (await button(speaker.page, 'Join').isVisible()) await button(speaker.page, 'Join').click();
  await until('the stage controls', async () => (await button(speaker.page, 'Go on stage').isVisible()) || (await button(speaker.page, 'Mute').isVisible())
    || (await button(speaker.page, 'Unmute').isVisible()));
  if (await button(speaker.page, 'Go on stage').isVisible()) await button(speaker.page, 'Go on stage').click();
  else if (await button(speaker.page, 'Unmute').isVisible()) await button(speaker.page, 'Unmute').click();
  const from = (await listener.heard()).frames.length;
  await until('sound again', async () => firstSound((await listener.heard()).frames, from) >= 0, { timeout: 8000 });
});
