// Every page in Chromium, against the mock: no accessibility violation (axe), nothing refused by the
// content security policy, no error, nothing wider than the window; pictures of all of it on request.
//   node tests/run.mjs [--screenshots FOLDER]
import { createRequire } from 'node:module';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { Role } from '../../sdk/src/gen/alcove/v1/rooms_pb';
import { startMock } from './mock_server';
import type { Mock } from './mock_server';
import { kHallway, member, roomAs } from './scenes';

const kAxe = createRequire(join(process.cwd(), 'package.json')).resolve('axe-core/axe.min.js');

interface Variant {
  name: string;
  width: number;
  height: number;
  dark: boolean;
  locale: string;
}

const kVariants: Variant[] = [
  { name: 'desktop-light', width: 1280, height: 800, dark: false, locale: 'en-GB' },
  { name: 'desktop-dark', width: 1280, height: 800, dark: true, locale: 'en-GB' },
  { name: 'phone-light', width: 360, height: 740, dark: false, locale: 'en-GB' },
  { name: 'phone-dark', width: 360, height: 740, dark: true, locale: 'fr-FR' },
];

let failures = 0;
function check(ok: boolean, what: string) {
  if (ok) return;
  failures += 1;
  console.error(`not ok: ${what}`);
}

interface AxeResult {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
}

async function inspect(page: Page, variant: Variant, name: string, pictures: string | null) {
  await page.evaluate(() => document.fonts.ready);
  const where = `${name}, ${variant.name}`;
  if (pictures !== null) {
    await page.screenshot({ path: join(pictures, `${name}-${variant.name}.png`) });
  }
  // A policy of 'self' lets no script in by tag: the debugger's way is open.
  await page.evaluate(await import('node:fs').then((fs) => fs.readFileSync(kAxe, 'utf8')));
  const result = await page.evaluate(() =>
    (window as unknown as { axe: { run(): Promise<unknown> } }).axe.run(),
  );
  for (const violation of (result as AxeResult).violations) {
    const nodes = violation.nodes.map((node) => `${node.html}\n${node.failureSummary}`).join('\n');
    check(false, `${where}: ${violation.id} (${violation.impact})\n${nodes}`);
  }
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  check(overflow <= 0, `${where}: ${String(overflow)} px wider than the window`);
}

async function openPage(browser: Browser, variant: Variant): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: variant.width, height: variant.height },
    colorScheme: variant.dark ? 'dark' : 'light',
    locale: variant.locale,
    permissions: ['microphone'],
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.addInitScript({ path: resolve('tests/fake_media.js') });
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() !== 'error' || text.includes('404')) return;
    check(false, `console: ${text}`);
  });
  page.on('pageerror', (error) => {
    check(false, `error: ${error.message}`);
  });
  return page;
}

async function signIn(page: Page, mock: Mock) {
  await page.addInitScript(() => {
    localStorage.setItem(
      'alcove.session',
      JSON.stringify({
        token: 't',
        accountId: 'a',
        username: 'ada',
        displayName: 'Ada Lovelace',
        guest: false,
        expiresAtMs: 4e12,
      }),
    );
  });
  await page.goto(mock.origin);
}

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

async function roomPages(browser: Browser, variant: Variant, pictures: string | null, role: Role) {
  const mock = await startMock({
    dist: resolve('dist'),
    room: () => roomAs(role),
    hallway: kHallway,
  });
  const page = await openPage(browser, variant);
  await signIn(page, mock);
  await page.goto(`${mock.origin}/r/dusk`);
  await page.locator('form .primary').click();
  await page.locator('h1', { hasText: 'blue hour' }).waitFor();
  await page.evaluate(() => {
    Object.assign(window, { __speaking: [{ seat: 2, level: 0.2 }] });
  });
  await page.waitForTimeout(900);
  if (role === Role.LISTENER) {
    await inspect(page, variant, 'listener', pictures);
    const self = member(40, 'Ada Lovelace', { handRaised: true, invited: true, username: 'ada' });
    const allowed = ['leave', 'lower_hand', 'accept_invitation', 'decline_invitation'];
    mock.send([
      { event: { case: 'selfChanged', value: { self, allowedCommands: allowed } } },
      {
        event: {
          case: 'reactionsSent',
          value: { reactions: [{ reaction: 1, count: 2, memberIds: [1, 11] }] },
        },
      },
    ]);
    await page.locator('.dock .primary').first().waitFor();
    await page.waitForTimeout(300);
    await inspect(page, variant, 'invited', pictures);
    await page.locator('.controls .react > button').click();
    await inspect(page, variant, 'reactions', pictures);
    await page.locator('section li button').first().click();
    await inspect(page, variant, 'member', pictures);
    await page.keyboard.press('Escape');
    mock.send([{ event: { case: 'roomEnded', value: { cause: 'ended' } } }]);
    await page.locator('main.narrow h1').waitFor();
    await inspect(page, variant, 'ended', pictures);
  } else {
    await page.locator('dialog').waitFor();
    await page.locator('dialog .primary:enabled').waitFor();
    await inspect(page, variant, 'device', pictures);
    await page.locator('dialog .primary').click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.waitForTimeout(400);
    await inspect(page, variant, 'moderator', pictures);
    await page.locator('section li button').nth(2).click();
    await inspect(page, variant, 'member-moderated', pictures);
    await page.keyboard.press('Escape');
    await page.locator('.tools .danger').click();
    await inspect(page, variant, 'end', pictures);
    await page.keyboard.press('Escape');
    mock.send([{ event: { case: 'removed', value: { cause: 'removed' } } }]);
    await page.locator('main.narrow h1').waitFor();
    await inspect(page, variant, 'removed', pictures);
  }
  await page.context().close();
  mock.close();
}

export async function main(args: string[]): Promise<number> {
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
      await roomPages(browser, variant, pictures, Role.LISTENER);
      await roomPages(browser, variant, pictures, Role.MODERATOR);
      console.log(`ok: ${variant.name}`);
    }
  } finally {
    await browser.close();
  }
  if (failures > 0) console.error(`${String(failures)} findings`);
  return failures === 0 ? 0 : 1;
}
