// Chromium with a fake microphone that speaks a file, and a recorder of what the page plays.
import { chromium } from 'playwright-core';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silenceFile } from './speech.mjs';

const recorder = readFileSync(join(dirname(fileURLToPath(import.meta.url)), 'recorder.js'), 'utf8');
const browserPath = '/usr/bin/chromium';

/** A program that starts Chromium inside a network namespace. */
function wrapper(namespace) {
  const file = join(mkdtempSync(join(tmpdir(), 'alcove-e2e-')), 'chromium');
  writeFileSync(file, `#!/bin/sh\nexec ip netns exec ${namespace} ${browserPath} "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

/**
 * One browser with one page that grants the microphone. speak: WAV; namespace: network namespace;
 * microphone: false refuses it; autoplay: false keeps Chromium's own autoplay policy.
 */
export async function openChromium({ speak, namespace, microphone = true, autoplay = true, locale = 'en-GB', viewport, colorScheme, args = [] } = {}) {
  const browser = await chromium.launch({
    executablePath: namespace ? wrapper(namespace) : browserPath,
    args: [
      '--no-sandbox', '--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${speak ?? silenceFile()}`,
      ...(microphone ? ['--use-fake-ui-for-media-stream'] : ['--deny-permission-prompts']),
      ...(autoplay ? ['--autoplay-policy=no-user-gesture-required'] : []),
      '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', ...args,
    ],
  });
  const context = await browser.newContext({
    locale, ...(viewport ? { viewport } : {}), ...(colorScheme ? { colorScheme } : {}),
    ...(microphone ? { permissions: ['microphone'] } : { permissions: [] }),
  });
  await context.addInitScript(recorder);
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  const problems = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(`${error.name}: ${error.message}`));
  return {
    browser, context, page, problems,
    /** The envelope heard so far: {frames: Float32Array, startedAt: ms since 1970 of the first frame}. */
    async heard() {
      const { frames, startedAt } = await page.evaluate(() => ({ frames: window.__heard.frames, startedAt: window.__heard.startedAt }));
      return { frames: Float32Array.from(frames), startedAt };
    },
    close: () => browser.close(),
  };
}
