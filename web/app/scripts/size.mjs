// The limit on what a first visit loads: every script that index.html names, directly or by import,
// the workers, and the styles, as they are compressed on the wire.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

// Of it 56 KB are the worker with the cryptography of the room keys and of the manifest, whose signatures it
// checks so that the page needs no second copy.
const kMaxScriptBytes = 147 * 1024;
const kMaxStyleBytes = 12 * 1024;

const dist = resolve(dirname(fileURLToPath(import.meta.url)), '../dist');
if (!existsSync(join(dist, 'index.html'))) {
  console.error('size: build first (npm run build)');
  process.exit(2);
}
const assets = readdirSync(join(dist, 'assets'));
const sizeOf = (ending) =>
  assets
    .filter((name) => name.endsWith(ending))
    .map((name) => ({ name, bytes: readFileSync(join(dist, 'assets', `${name}.br`)).length }));

let failed = false;
for (const [what, files, limit] of [
  ['scripts', sizeOf('.js'), kMaxScriptBytes],
  ['styles', sizeOf('.css'), kMaxStyleBytes],
]) {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  for (const { name, bytes } of files) console.log(`  ${String(bytes).padStart(7)}  ${name}`);
  console.log(`${what}: ${total} bytes compressed, limit ${limit}`);
  if (total > limit) failed = true;
}
if (failed) {
  console.error('size: over the limit');
  process.exit(1);
}
