import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const rootDirectory = resolve(here, '../../..');
export const outDirectory = resolve(here, '../out');
mkdirSync(outDirectory, { recursive: true });
/** Where alcove and alcove-client are: build/release/bin, or ALCOVE_BIN relative to tests/e2e. */
export const binDirectory = process.env.ALCOVE_BIN
  ? resolve(here, '..', process.env.ALCOVE_BIN)
  : resolve(rootDirectory, 'build/release/bin');
export const webDirectory = process.env.ALCOVE_WEB ?? resolve(rootDirectory, 'web/app/dist');
