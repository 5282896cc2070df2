// Bundles pages.ts with the tools that vite brings, and runs it.
import { build } from 'esbuild';
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const app = resolve(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(app);
const out = mkdtempSync(join(app, 'node_modules', '.pages-'));
try {
  await build({
    entryPoints: [join(app, 'tests/pages.ts')],
    outfile: join(out, 'pages.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node18',
    external: ['playwright-core', 'ws', 'axe-core'],
    logLevel: 'warning',
  });
  const { main } = await import(pathToFileURL(join(out, 'pages.mjs')).href);
  process.exitCode = await main(process.argv.slice(2));
} finally {
  rmSync(out, { recursive: true, force: true });
}
