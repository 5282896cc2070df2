// Generates src/gen from the schema: Debian's protoc with the plugin from node_modules.
// relay.proto is left out: it is spoken between servers only.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const sdk = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const schema = resolve(sdk, '../../proto');
const out = join(sdk, 'src/gen');
const files = ['accounts', 'common', 'events', 'keys', 'manifest', 'rooms'].map(
  (name) => `alcove/v1/${name}.proto`,
);

const manifest = createRequire(import.meta.url).resolve('@bufbuild/protoc-gen-es/package.json');
const plugin = join(dirname(manifest), 'bin/protoc-gen-es');

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
execFileSync(
  process.env.PROTOC ?? 'protoc',
  [
    `--plugin=protoc-gen-es=${plugin}`,
    `--proto_path=${schema}`,
    `--es_out=${out}`,
    '--es_opt=target=ts,import_extension=none',
    ...files,
  ],
  { stdio: 'inherit' },
);
