// A flash crowd at the real server with somebody speaking all the time: how long from the request to the first packet,
// what those hear who were there before, and what a join costs the server's threads.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRoomAs } from '../tests/e2e/lib/client.mjs';
import { binDirectory } from '../tests/e2e/lib/paths.mjs';
import { newAccount } from '../tests/e2e/lib/people.mjs';
import { startServer } from '../tests/e2e/lib/server.mjs';
import { babble } from './lib/babble.mjs';
import { table, textOption } from './lib/programs.mjs';
import { numberOption } from './lib/statistics.mjs';

const json = process.argv.includes('--json');
const already = numberOption('--already', 1000);
const seconds = numberOption('--seconds', 10);
const rates = textOption('--rates', '150,300').split(',').map(Number);

/** CPU seconds of the server so far. The control thread is the first one; of the others media threads alone are at nice 0. */
function cpuOf(pid) {
  const times = { control: 0, media: 0, store: 0 };
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const part = Number(task) === pid ? 'control' : Number(fields[16]) === 0 ? 'media' : 'store';
    times[part] += (Number(fields[11]) + Number(fields[12])) / 100;
  }
  return times;
}

/** Of those who came in the flood. */
const firstPacket = (result) => result.load.join_ms?.first_packet_measured ?? result.load.join_ms?.first_packet ?? {};
const sum = (times) => Object.values(times).reduce((a, b) => a + b, 0);
const residentOf = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

function load(link, rate) {
  const members = already + Math.round(rate * seconds);
  const args = ['load', link, '--profile', 'flash', '--already', already, '--members', members, '--rate', rate, '--seconds', 5, '--json'];
  return new Promise((resolve, reject) => {
    execFile(join(binDirectory, 'alcove-client'), args.map(String), { maxBuffer: 1 << 26 }, (error, out, messages) => {
      const line = out.trim().split('\n').at(-1) ?? '';
      try {
        resolve(JSON.parse(line));
      } catch {
        reject(new Error(`alcove-client load: ${messages.trim() || error?.message || 'no JSON'}`));
      }
    });
  });
}

async function flood(rate) {
  // One machine is all of the internet here, so the limits on what one address may do are raised.
  const server = await startServer({ config: { limits: { rate_limit_factor: 10000.0 }, log: { level: 'warning' } } });
  try {
    const { client, link } = await startRoomAs(server.origin, {
      ...(await newAccount(server.origin)), title: 'Flood', speak: babble(), loop: true, seconds: 600,
    });
    await client.event('connected');
    const before = cpuOf(server.child.pid);
    const figures = await load(link, rate);
    const after = cpuOf(server.child.pid);
    const resident = residentOf(server.child.pid);
    await client.stop();
    const threads = Object.fromEntries(Object.entries(after).map(([name, time]) => [name, Number((time - before[name]).toFixed(2))]));
    return { rate, load: figures, server: { cpu_s: Number((sum(after) - sum(before)).toFixed(2)), cpu_s_of: threads, resident } };
  } finally {
    await server.stop();
  }
}

const results = [];
for (const rate of rates) results.push(await flood(rate));
if (json) {
  console.log(JSON.stringify({ bench: 'join_flood', already, seconds, results }));
} else {
  const rows = [['joins a second', ...rates]];
  const row = (what, pick) => rows.push([what, ...results.map((r) => pick(r) ?? '')]);
  row('members that joined', (r) => r.load.joined);
  row('that failed', (r) => r.load.failed);
  row('request to first packet, median, ms', (r) => firstPacket(r).p50);
  row('  95th percentile (aim: 1000)', (r) => firstPacket(r).p95);
  row('worst gap of those already there, 99th percentile, ms (aim: 80)', (r) => r.load.gap_ms?.worst_already?.p99);
  row('server, CPU seconds: control', (r) => r.server.cpu_s_of.control);
  row('  media', (r) => r.server.cpu_s_of.media);
  row('  store', (r) => r.server.cpu_s_of.store);
  console.log(table(rows));
}
process.exit(0);
