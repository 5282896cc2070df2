import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { outDirectory } from '../../tests/e2e/lib/paths.mjs';
import { speechFile } from '../../tests/e2e/lib/speech.mjs';

/** Speech without a pause: five copies of the same talk, a second apart. */
export function babble() {
  const file = join(outDirectory, 'speech', 'babble.wav');
  const source = speechFile('synthetic');
  if (!existsSync(file)) {
    const shifted = [0, 1, 2, 3, 4].map((s) => `|sox ${source} -p repeat 1 trim ${s} 12`);
    execFileSync('sox', ['-m', ...shifted, '-b', '16', file, 'norm', '-3']);
  }
  return file;
}
