// Click on "Join" to the first decoded audio: a guest without a microphone, somebody speaking all the time. Each run
// has a fresh browser context (no cache, no session). The sound is seen by a recorder on the remote tracks, in
// blocks of 1,024 samples, so a figure includes up to 21 ms of the recorder's own.
import { openChromium } from '../tests/e2e/lib/chromium.mjs';
import { startRoomAs } from '../tests/e2e/lib/client.mjs';
import { box, button, newAccount } from '../tests/e2e/lib/people.mjs';
import { startServer } from '../tests/e2e/lib/server.mjs';
import { babble } from './lib/babble.mjs';
import { numberOption, summary } from './lib/statistics.mjs';

const runs = numberOption('--runs', 30);
const json = process.argv.includes('--json');

const server = await startServer();
const { client, link } = await startRoomAs(server.origin, {
  ...(await newAccount(server.origin)), title: 'Join speed', speak: babble(), loop: true, seconds: 600,
});
await client.event('connected');
const { browser, close } = await openChromium();

async function joinOnce() {
  const context = await browser.newContext();
  const { readFileSync } = await import('node:fs');
  await context.addInitScript(readFileSync(new URL('../tests/e2e/lib/recorder.js', import.meta.url), 'utf8'));
  await context.addInitScript(() => {
    addEventListener('click', (event) => {
      if (event.target instanceof Element && event.target.closest('button')?.textContent?.trim() === 'Join') window.__clickedAt = performance.now();
    }, true);
    setInterval(() => {
      const heard = window.__heard;
      if (heard && !window.__firstSound && heard.frames.some((level) => level > 0.003)) window.__firstSound = performance.now();
    }, 5);
  });
  const page = await context.newPage();
  await page.goto(link);
  await box(page, 'Your name').fill('Quick Quinn');
  await button(page, 'Join').click();
  await page.waitForFunction(() => window.__firstSound > 0, null, { timeout: 15000, polling: 20 });
  const times = await page.evaluate(() => {
    const mark = (name) => performance.getEntriesByName(name).at(0)?.startTime ?? null;
    return { click: window.__clickedAt, sound: window.__firstSound, joined: mark('alcove:joined'), firstAudio: mark('alcove:first-audio') };
  });
  await context.close();
  return times;
}

await joinOnce(); // warms the browser's processes, as a person who reads the page has
const results = [];
for (let i = 0; i < runs; i++) {
  results.push(await joinOnce());
  if (!json) process.stderr.write(`\rjoin ${i + 1}/${runs}`);
}
if (!json) process.stderr.write('\n');
const report = {
  bench: 'join', runs,
  click_to_first_audio_ms: summary(results.map((r) => r.sound - r.click)),
  click_to_answer_ms: summary(results.filter((r) => r.joined !== null).map((r) => r.joined - r.click)),
  aim: { click_to_first_audio_ms: { median: 400 } },
};
console.log(json ? JSON.stringify(report) : JSON.stringify(report, null, 2));
await close();
await client.stop();
await server.stop();
process.exit(0);
