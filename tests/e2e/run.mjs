// Runs the end-to-end tests one file after the other: they measure sound and time, and share two cores.
//   node run.mjs [NAME…]      NAME is a file's name without .e2e.mjs
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
rmSync(join(here, 'out', 'logs'), { recursive: true, force: true });
// "logs" reads what the servers of all the others wrote: last.
const files = readdirSync(here)
  .filter((name) => name.endsWith('.e2e.mjs') && (wanted.length === 0 || wanted.includes(name.replace('.e2e.mjs', ''))))
  .sort((a, b) => (a === 'logs.e2e.mjs') - (b === 'logs.e2e.mjs') || a.localeCompare(b));
if (files.length === 0) {
  console.error(`no such end-to-end test: ${wanted.join(' ')}`);
  process.exit(2);
}
let failed = 0;
for (const file of files) {
  console.log(`\n# ${file}`);
  const result = spawnSync(process.execPath, ['--test', join(here, file)], { stdio: 'inherit', timeout: 10 * 60 * 1000 });
  if (result.status !== 0) failed++;
}
console.log(`\nend to end: ${files.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
