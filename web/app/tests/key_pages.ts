import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { Role, RoomKind } from '../../sdk/src/gen/alcove/v1/common_pb';
import type { KeyWarning, KeysView } from '../../sdk/src/keys/view';
import { check, inspect, openPage, signIn } from './page_tools';
import type { Variant } from './page_tools';
import { startMock } from './mock_server';
import { enter } from './room_pages';
import { kHallway, kWarnings, roomAs } from './scenes';

/** What people see of the encryption. */
export async function keyPages(
  browser: Browser,
  variant: Variant,
  dist: string,
  pictures: string | null,
) {
  await safetyAsListener(browser, variant, dist, pictures);
  await safetyAsModerator(browser, variant, dist, pictures);
  await warnings(browser, variant, dist, pictures);
  for (const reason of ['asked', 'nobody', 'resume'] as const) {
    await waiting(browser, variant, dist, pictures, reason);
  }
  await unsupported(browser, variant, dist, pictures);
}

async function setKeys(page: Page, change: Partial<KeysView>) {
  await page.evaluate((keys) => window.__room?.keys(keys), change);
}

async function safetyAsListener(
  browser: Browser,
  variant: Variant,
  dist: string,
  pictures: string | null,
) {
  const room = await enter(browser, variant, dist, { role: Role.LISTENER });
  const { page } = room;
  const lock = page.locator('header button[aria-haspopup="dialog"]');
  await lock.click();
  const dialog = page.locator('dialog');
  await dialog.locator('li').first().waitFor();
  await inspect(page, variant, 'safety', pictures);
  const digits = (await dialog.locator('.code [aria-hidden]').allTextContents()).join('');
  check(/^\d{30}$/.test(digits), `the room code: ${digits}`);
  // Théo's device is not the one of last time: he is told of with a mark, here and on stage.
  const changed = await dialog.locator('.device.changed').count();
  check(changed > 0, 'a changed device is not marked in the list');
  await dialog.locator('input[type=search]').fill('amelie');
  check(
    (await dialog.locator('ul[aria-labelledby] li').count()) === 1,
    'the search does not find Amélie',
  );
  await inspect(page, variant, 'safety-search', pictures);
  const download = page.waitForEvent('download');
  await dialog.locator('section').last().locator('button').click();
  const file = await download;
  check(file.suggestedFilename() === 'alcove-log-dusk.bin', `the log: ${file.suggestedFilename()}`);
  check(readFileSync(await file.path(), 'utf8') === 'a log', 'the log is not what was exported');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  const focused = await lock.evaluate((button) => button === document.activeElement);
  check(focused, 'the focus does not go back to the lock');
  check((await page.locator('.tile .badge.device').count()) === 1, 'no mark on the tile');
  await room.close();
}

async function safetyAsModerator(
  browser: Browser,
  variant: Variant,
  dist: string,
  pictures: string | null,
) {
  const room = await enter(browser, variant, dist, { role: Role.MODERATOR });
  const { page } = room;
  await page.locator('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.evaluate((kind) => {
    const view = window.__room?.view.value;
    if (view !== undefined) window.__room?.patch({ room: { ...view.room, kind } });
  }, RoomKind.CLOSED);
  await setKeys(page, { linkVoid: true });
  await page.locator('header button[aria-haspopup="dialog"]').click();
  const section = page.locator('dialog section').nth(2);
  await section.scrollIntoViewIfNeeded();
  await inspect(page, variant, 'safety-link', pictures);
  await section.locator('button').click();
  const calls = await page.evaluate(() => window.__room?.calls ?? []);
  check(calls.includes('renewLink'), 'the link is not made anew');
  await room.close();
}

async function warnings(browser: Browser, variant: Variant, dist: string, pictures: string | null) {
  const room = await enter(browser, variant, dist, { role: Role.LISTENER });
  const { page } = room;
  const shown = page.locator('.banners .warning');
  const codes = new Set(kWarnings.map((warning) => warning.code));
  for (const code of codes) {
    const held: KeyWarning[] = kWarnings.filter((warning) => warning.code === code);
    await setKeys(page, { warnings: held, sendingStopped: code === 'stale' || code === 'fork' });
    await shown.first().waitFor();
    check((await shown.count()) === 1, `${code}: not one banner`);
    const serious = code === 'fork' || code === 'failed_check';
    const loud = await page.locator('[role=alert] .warning').count();
    check(loud === (serious ? 1 : 0), `${code}: said too loud or too softly`);
    await inspect(page, variant, `warning-${code}`, pictures);
  }
  await setKeys(page, { warnings: kWarnings });
  await page
    .locator('.banners .warning')
    .nth(codes.size - 1)
    .waitFor();
  await inspect(page, variant, 'warnings', pictures);
  await page.locator('.warning', { hasText: 'Noor' }).locator('button').click();
  check((await shown.count()) === codes.size - 1, 'a warning that was read stays');
  // What comes again is told again.
  await setKeys(page, { warnings: [] });
  await setKeys(page, { warnings: kWarnings });
  await shown.nth(codes.size - 1).waitFor();
  await room.close();
}

async function waiting(
  browser: Browser,
  variant: Variant,
  dist: string,
  pictures: string | null,
  reason: 'asked' | 'nobody' | 'resume',
) {
  const room = await enter(browser, variant, dist, { role: Role.LISTENER, waiting: reason });
  const { page } = room;
  await page.waitForTimeout(400);
  const early = await page.locator('form .primary').count();
  check(early === 1, `${reason}: the waiting flashes`);
  await page.locator('main.narrow [role=status] h1').waitFor();
  await inspect(page, variant, `waiting-${reason}`, pictures);
  if (reason === 'asked') {
    await page.evaluate(() => window.__room?.admit());
    await page.locator('.stage').first().waitFor();
  } else {
    await page.locator('main.narrow > button').click();
    await page.locator('form .primary:enabled').waitFor();
  }
  await room.close();
}

async function unsupported(
  browser: Browser,
  variant: Variant,
  dist: string,
  pictures: string | null,
) {
  const mock = await startMock({ dist, room: () => roomAs(Role.LISTENER), hallway: kHallway });
  const page = await openPage(browser, variant);
  await page.addInitScript(() => {
    Reflect.deleteProperty(window, 'RTCRtpScriptTransform');
    Reflect.deleteProperty(RTCRtpSender.prototype, 'createEncodedStreams');
  });
  await signIn(page, mock);
  await page.goto(`${mock.origin}/r/dusk`);
  await page.locator('.error').waitFor();
  check((await page.locator('form').count()) === 0, 'a way in without encryption');
  await inspect(page, variant, 'unsupported', pictures);
  await page.goto(mock.origin);
  await page.locator('.top button').click();
  await page.locator('dialog .error').waitFor();
  check((await page.locator('dialog form').count()) === 0, 'a way to start without encryption');
  await page.context().close();
  mock.close();
}
