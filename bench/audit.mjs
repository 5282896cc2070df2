// Makes captures of a quarter, half and the whole of the size in build/bench, and runs alcove-audit on each. On the whole
// one tshark runs in the same rounds, since the machine's speed drifts. All files are in the page cache, read once before.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDirectory, spread, table, textOption } from './lib/programs.mjs';
import { numberOption } from './lib/statistics.mjs';

const megabytes = numberOption('--megabytes', 1024);
const rounds = numberOption('--rounds', 3);
const json = process.argv.includes('--json');
const more = textOption('--with', '').split(' ').filter(Boolean);
const directory = join(dirname(fileURLToPath(import.meta.url)), '..', 'build', 'bench');
const program = join(buildDirectory, 'bench', 'bench_audit');
const auditor = join(buildDirectory, 'bin', 'alcove-audit');
const flowsAlone = process.argv.includes('--flows');

const say = (text) => json || process.stderr.write(`${text}\n`);
const call = (...args) => JSON.parse(execFileSync(program, args, { stdio: ['ignore', 'pipe', 'inherit'] }).toString());

for (const needed of flowsAlone ? [program] : [program, auditor])
  if (!existsSync(needed)) {
    console.error(`${needed} is missing: cmake --preset release -DALCOVE_BENCH=ON && ninja -C build/release bench_audit alcove-audit`);
    process.exit(2);
  }

/** Wall seconds, CPU seconds and peak memory of one run. allowed: exit statuses that are an outcome. */
function measure(command, allowed) {
  const run = call('run', ...command);
  if (!allowed.includes(run.status)) throw new Error(`${command.join(' ')}: status ${run.status}`);
  return run;
}
const audit = (file) => (flowsAlone ? measure([program, 'flows', file], [0]) : measure([auditor, file, ...more], [0, 1]));
// -n: no names are asked for, which costs tshark nothing and us no network.
const tsharkConversations = (file) => measure(['tshark', '-n', '-q', '-z', 'conv,ip', '-r', file], [0]);
const tsharkHierarchy = (file) => measure(['tshark', '-n', '-q', '-z', 'io,phs', '-r', file], [0]);

function summary(runs) {
  return { seconds: spread(runs.map((r) => r.seconds)), cpu_seconds: spread(runs.map((r) => r.cpu_seconds)), peak_megabytes: spread(runs.map((r) => r.peak_bytes / 2 ** 20), 1) };
}

function measureSize(size, withTshark) {
  const file = join(directory, `audit_${size}.pcap`);
  const mix = call('make', file, String(size * 2 ** 20));
  try {
    call('flows', file);
    const runs = { audit: [], conversations: [], hierarchy: [] };
    for (let round = 0; round < rounds; round++) {
      runs.audit.push(audit(file));
      if (withTshark) {
        runs.conversations.push(tsharkConversations(file));
        runs.hierarchy.push(tsharkHierarchy(file));
      }
      say(`${size} MiB, round ${round + 1}: ${Object.entries(runs).flatMap(([name, list]) => (list.length ? [`${name} ${list.at(-1).seconds.toFixed(2)} s`] : [])).join(', ')}`);
    }
    const result = { megabytes: size, mix, audit: summary(runs.audit) };
    if (withTshark) {
      result.tshark_conv_ip = summary(runs.conversations);
      result.tshark_io_phs = summary(runs.hierarchy);
    }
    return result;
  } finally {
    if (!process.argv.includes('--keep')) rmSync(file, { force: true });
  }
}

mkdirSync(directory, { recursive: true });
const sizes = [megabytes / 4, megabytes / 2, megabytes].map(Math.round);
const results = sizes.map((size) => measureSize(size, size === sizes.at(-1)));
const [small, , large] = results;
const median = (result, what) => result[what].median;
const fastest = (what) => Math.min(median(large.tshark_conv_ip, what), median(large.tshark_io_phs, what));
const report = {
  program: flowsAlone ? 'reader, decoder and flow table' : ['alcove-audit', ...more].join(' '),
  tshark: execFileSync('tshark', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString().split('\n')[0],
  rounds,
  times_faster: Number((fastest('seconds') / median(large.audit, 'seconds')).toFixed(1)),
  times_less_cpu: Number((fastest('cpu_seconds') / median(large.audit, 'cpu_seconds')).toFixed(1)),
  // 1: four times the file takes four times the CPU time.
  growth: Number((median(large.audit, 'cpu_seconds') / median(small.audit, 'cpu_seconds') / (large.mix.bytes / small.mix.bytes)).toFixed(2)),
  microseconds_per_packet: Number(((median(large.audit, 'cpu_seconds') * 1e6) / large.mix.packets).toFixed(3)),
  peak_megabytes: Math.max(...results.map((r) => r.audit.peak_megabytes.max)),
  sizes: results,
};

if (json) {
  console.log(JSON.stringify(report, null, 2));
} else {
  const row = (name, result) => [name, median(result, 'seconds').toFixed(2), median(result, 'cpu_seconds').toFixed(2), median(result, 'peak_megabytes').toFixed(0)];
  console.log(`${report.program}, ${report.tshark}, ${rounds} rounds\n`);
  console.log(
    table([
      ['medians', 'seconds', 'CPU s', 'peak MiB'],
      ...results.map((result) => row(`audit, ${result.megabytes} MiB`, result.audit)),
      row('tshark conv,ip', large.tshark_conv_ip),
      row('tshark io,phs', large.tshark_io_phs),
    ]),
  );
  console.log(`\n${report.times_faster} times faster, ${report.times_less_cpu} times less CPU; growth ${report.growth} (1 is linear)`);
}
