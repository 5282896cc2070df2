// What every page is held to, and how it is opened.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { Mock } from './mock_server';
import type { Scene } from './fake_room';

const kAxe = createRequire(join(process.cwd(), 'package.json')).resolve('axe-core/axe.min.js');

export interface Variant {
  name: string;
  width: number;
  height: number;
  dark: boolean;
  locale: string;
}

export const kVariants: Variant[] = [
  { name: 'desktop-light', width: 1280, height: 800, dark: false, locale: 'en-GB' },
  { name: 'desktop-dark', width: 1280, height: 800, dark: true, locale: 'en-GB' },
  { name: 'phone-light', width: 360, height: 740, dark: false, locale: 'en-GB' },
  { name: 'phone-dark', width: 360, height: 740, dark: true, locale: 'fr-FR' },
];

let failures = 0;

export function failureCount(): number {
  return failures;
}

export function check(ok: boolean, what: string) {
  if (ok) return;
  failures += 1;
  console.error(`not ok: ${what}`);
}

interface AxeResult {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
}

export async function inspect(page: Page, variant: Variant, name: string, pictures: string | null) {
  await page.evaluate(() => document.fonts.ready);
  const where = `${name}, ${variant.name}`;
  if (pictures !== null) {
    await page.screenshot({ path: join(pictures, `${name}-${variant.name}.png`) });
  }
  // A policy of 'self' lets no script in by tag: the debugger's way is open.
  await page.evaluate(readFileSync(kAxe, 'utf8'));
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

export async function openPage(
  browser: Browser,
  variant: Variant,
  scene: Scene | null = null,
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: variant.width, height: variant.height },
    colorScheme: variant.dark ? 'dark' : 'light',
    locale: variant.locale,
    permissions: ['microphone'],
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  if (scene !== null) {
    await page.addInitScript((found) => {
      window.__scene = found;
    }, scene);
  }
  page.on('console', (message) => {
    const text = message.text();
    // The browser's own lines about answers that these pages are for.
    if (message.type() !== 'error' || /status of (404|451|503)/.test(text)) return;
    check(false, `console: ${text}`);
  });
  page.on('pageerror', (error) => {
    check(false, `error: ${error.message}`);
  });
  return page;
}

export async function signIn(page: Page, mock: Mock) {
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
