// Runs the programs of bench/ and reads their JSON.
import { execFileSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export function textOption(flag, fallback) {
  const at = process.argv.indexOf(flag);
  return at < 0 || at + 1 >= process.argv.length ? fallback : process.argv[at + 1];
}

/** Where the built programs are; --build DIR measures another tree's. */
export const buildDirectory = resolve(textOption('--build', join(here, '..', '..', 'build', 'release')));

/**
 * bench_<name> with flags from an object: {listeners: 1000, flat: true} is --listeners 1000 --flat.
 * network: 'own' is a namespace with the device that frees every packet, 'loopback' the machine's loopback; by
 * default where this process is.
 */
export function runProgram(name, flags, more = [], network = 'here') {
  const args = Object.entries(flags).flatMap(([flag, value]) => (value === true ? [`--${flag}`] : [`--${flag}`, String(value)]));
  const command = [join(buildDirectory, 'bench', `bench_${name}`), ...args, ...more, '--json'];
  if (network !== 'here') command.unshift(join(here, 'namespace.sh'), ...(network === 'loopback' ? ['--loopback'] : []));
  const text = execFileSync(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(text.toString());
}

/** Median with its spread. */
export function spread(values, digits = 3) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return { median: null, min: null, max: null, values: [] };
  const round = (value) => Number(value.toFixed(digits));
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median: round(median), min: round(sorted[0]), max: round(sorted.at(-1)), values: values.map(round) };
}

/** Lines of equal columns. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows.map((row) => row.map((cell, column) => (column === 0 ? String(cell).padEnd(widths[column]) : String(cell).padStart(widths[column]))).join('  ')).join('\n');
}
