// Builds the app a second time, with a room that pretends (fake_sdk.ts); bundles pages.ts, and runs it.
import { build } from 'esbuild';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build as buildApp } from 'vite';

const app = resolve(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(app);
mkdirSync(join(app, 'node_modules'), { recursive: true });
const out = mkdtempSync(join(app, 'node_modules', '.pages-'));
try {
  await build({
    entryPoints: [join(app, 'tests/pages.ts')],
    outfile: join(out, 'pages.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node18',
    external: ['playwright-core', 'axe-core'],
    logLevel: 'warning',
  });
  const pretending = join(out, 'dist');
  await buildApp({
    root: app,
    logLevel: 'warn',
    resolve: { alias: [{ find: /^@alcove\/sdk$/, replacement: join(app, 'tests/fake_sdk.ts') }] },
    build: { outDir: pretending, minify: false },
  });
  const { main } = await import(pathToFileURL(join(out, 'pages.mjs')).href);
  process.exitCode = await main(pretending, process.argv.slice(2));
} finally {
  rmSync(out, { recursive: true, force: true });
}
