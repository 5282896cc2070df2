// Every page in Chromium, against the mock: no accessibility violation (axe), nothing refused by the
// content security policy, no error, nothing wider than the window; pictures of all of it on request.
//   node tests/run.mjs [--screenshots FOLDER] [--only VARIANT]
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { Role } from '../../sdk/src/gen/alcove/v1/common_pb';
import { startMock } from './mock_server';
import { failureCount, inspect, kVariants, openPage, signIn } from './page_tools';
import type { Variant } from './page_tools';
import { keyPages } from './key_pages';
import { placePages } from './place_pages';
import { roomPages } from './room_pages';
import { kHallway, roomAs } from './scenes';

async function quietPages(browser: Browser, variant: Variant, pictures: string | null) {
  const mock = await startMock({
    dist: resolve('dist'),
    room: () => roomAs(Role.LISTENER),
    hallway: kHallway,
  });
  const page = await openPage(browser, variant);
  for (const [name, path] of [
    ['login', '/login'],
    ['register', '/register'],
    ['settings', '/settings'],
    ['settings-places', '/settings/places'],
    ['lost', '/r/%20'],
    ['gone', '/r/gone'],
    ['hallway-guest', '/'],
    ['join', '/r/dusk'],
  ] as const) {
    await page.goto(mock.origin + path);
    await page.locator('h1').waitFor();
    await page.waitForLoadState('networkidle');
    await inspect(page, variant, name, pictures);
  }
  await signIn(page, mock);
  await page.locator('section li').first().waitFor();
  await inspect(page, variant, 'hallway', pictures);
  await page.locator('.top button').click();
  await inspect(page, variant, 'start', pictures);
  await page.goto(`${mock.origin}/settings/sessions`);
  await page.locator('main li').first().waitFor();
  await inspect(page, variant, 'sessions', pictures);
  await page.context().close();
  mock.close();
}

export async function main(pretending: string, args: string[]): Promise<number> {
  const at = args.indexOf('--screenshots');
  const pictures = at >= 0 ? resolve(args[at + 1] ?? 'screenshots') : null;
  if (pictures !== null) mkdirSync(pictures, { recursive: true });
  const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : undefined;
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
  try {
    for (const variant of kVariants) {
      if (only !== undefined && !variant.name.includes(only)) continue;
      await quietPages(browser, variant, pictures);
      await roomPages(browser, variant, pretending, pictures, Role.LISTENER);
      await roomPages(browser, variant, pretending, pictures, Role.MODERATOR);
      await placePages(browser, variant, pictures);
      await keyPages(browser, variant, pretending, pictures);
      console.log(`ok: ${variant.name}`);
    }
  } finally {
    await browser.close();
  }
  const failures = failureCount();
  if (failures > 0) console.error(`${String(failures)} findings`);
  return failures === 0 ? 0 : 1;
}
