// Room keys in Chromium: a keeper in a worker lets people in and ejects one.   node bench/room_keys_chromium.mjs [--members 1000] [--rate 50]
// Prints JSON. Times are wall-clock times of one busy worker: other work on the machine counts.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { numberOption } from './lib/statistics.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { build } = createRequire(join(here, '../web/package.json'))('esbuild');
const { chromium } = createRequire(join(here, '../tests/e2e/package.json'))('playwright-core');

const bundle = await build({
  entryPoints: [join(here, 'room_keys_page.ts')], bundle: true, write: false, format: 'iife', target: 'es2022', minify: true,
  nodePaths: [join(here, '../web/node_modules')],
});
const server = createServer((request, response) => {
  const script = request.url === '/worker.js';
  response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
  response.end(script ? bundle.outputFiles[0].text : '<!doctype html>');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const result = await page.evaluate(
  (options) => new Promise((resolve) => {
    const worker = new Worker('/worker.js');
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => resolve({ error: event.message });
    worker.postMessage(options);
  }),
  { members: numberOption('--members', 1000), rate: numberOption('--rate', 50) },
);
await browser.close();
server.close();
const round = (value) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value);
console.log(JSON.stringify(result, (key, value) => round(value)));
process.exit(result.error === undefined && !result.fresh_epoch.ejected_opens && result.fresh_epoch.others_open ? 0 : 1);
