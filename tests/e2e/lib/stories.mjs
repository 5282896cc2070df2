// What several files' stories begin with: browsers that are closed with their test, people in rooms, and who is heard.
import assert from 'node:assert/strict';
import { openChromium } from './chromium.mjs';
import { bestCorrelation } from './envelope.mjs';
import { fill, openFirefox, press, recordSound, startSound } from './firefox.mjs';
import { joinByLink, logIn, newAccount, region, startRoom } from './people.mjs';

export function assertHeard(who, source, heard, least = 0.9) {
  const result = bestCorrelation(source, heard);
  console.log(`# ${who}: envelope correlation ${result.correlation.toFixed(3)} over ${result.frames / 100} s`);
  assert.ok(result.correlation >= least, `${who} heard the source only with ${result.correlation.toFixed(3)} (${heard.length} frames)`);
}

/** Chromium, closed with the test. */
async function chromiumIn(t, options) {
  const browser = await openChromium(options);
  t.after(() => browser.close());
  return browser;
}

/** Chromium with an account of its own, on the stage of the room that it has started, with the room's link. */
export async function hostInChromium(t, origin, title, options) {
  const host = await chromiumIn(t, options);
  await logIn(host.page, origin, await newAccount(origin));
  return { ...host, link: await startRoom(host.page, title) };
}

/** Chromium in the audience of a room. */
export async function guestInChromium(t, link, name, options) {
  const guest = await chromiumIn(t, options);
  await joinByLink(guest.page, link, name);
  return guest;
}

/** Firefox with a sound server of its own, about to join a room. */
export async function openFirefoxAt(t, link, name = 'Firefox Fay') {
  const sound = await startSound();
  t.after(() => sound.stop());
  const firefox = await openFirefox({ sound });
  t.after(() => firefox.close());
  await firefox.page.goto(link);
  await fill(firefox.page, 'Your name', name);
  await press(firefox.page, 'button', 'Join');
  return {
    sound, page: firefox.page,
    /** What it plays. From the beginning, where it will speak: a recorder that comes later changes the sound server's delay, and Firefox stumbles. */
    record: () => {
      const recording = recordSound(sound);
      t.after(() => recording.stop());
      return recording;
    },
  };
}

/** A raised hand, an invitation, and the device check. */
export async function bringFirefoxToStage(moderatorPage, page) {
  await press(page, 'button', 'Raise hand');
  await region(moderatorPage, 'Raised hands').getByRole('button', { name: 'Invite to stage' }).click();
  await press(page, 'button', 'Accept');
  await press(page, 'button', 'Go on stage');
}
