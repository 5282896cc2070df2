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
 * init: script that runs before the page's own; microphone: false refuses it; granted: false has not given it yet, as listeners have not; autoplay: false keeps Chromium's own autoplay policy.
 */
export async function openChromium({ speak, namespace, microphone = true, granted = microphone, autoplay = true, locale = 'en-GB', viewport, colorScheme, bypassCSP = false, init, args = [] } = {}) {
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
    locale, bypassCSP, ...(viewport ? { viewport } : {}), ...(colorScheme ? { colorScheme } : {}),
    permissions: granted ? ['microphone'] : [],
  });
  await context.addInitScript(recorder);
  if (init) await context.addInitScript(init);
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  const problems = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(`${error.name}: ${error.message}`));
  return {
    browser, context, page, problems,
    /** The envelope heard so far: {frames: Float32Array, times: when each was played, in ms since 1970, up to 40 ms late}. */
    async heard() {
      const { frames, times } = await page.evaluate(() => ({ frames: window.__heard.frames, times: window.__heard.times }));
      return { frames: Float32Array.from(frames), times };
    },
    /** How long sound waits in the jitter buffers at present, in ms, as a mean over a second. */
    async jitterDelay() {
      const read = () => page.evaluate(async () => {
        let [delay, emitted] = [0, 0];
        for (const entry of (await window.__heard.connections.at(-1).getStats()).values()) {
          if (entry.type !== 'inbound-rtp') continue;
          delay += entry.jitterBufferDelay ?? 0;
          emitted += entry.jitterBufferEmittedCount ?? 0;
        }
        return [delay, emitted];
      });
      const before = await read();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const after = await read();
      return after[1] > before[1] ? ((after[0] - before[0]) / (after[1] - before[1])) * 1000 : Infinity;
    },
    /** When the page saw the last click, in ms since 1970. */
    clickedAt: () => page.evaluate(() => window.__heard.clickedAt),
    close: () => browser.close(),
  };
}
