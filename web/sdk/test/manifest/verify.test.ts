import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/egress/address';
import {
  ManifestSchema,
  SignedManifestSchema,
  SignedTransparencyEntrySchema,
} from '../../src/gen/alcove/v1/manifest_pb';
import type { SignedManifest } from '../../src/gen/alcove/v1/manifest_pb';
import { fromHex, toHex } from '../../src/keys/bytes';
import { sha256 } from '../../src/keys/crypto';
import { appendEntry, emptyHead } from '../../src/manifest/log';
import { kMaxManifest, verifyManifest } from '../../src/manifest/verify';
import { kManifest, seedOf, signBytes, signManifest, TestLog, verify } from './signing';

const kFolder = join(dirname(fileURLToPath(import.meta.url)), '../../../../tests/vectors/manifest');
const kFile = join(kFolder, 'manifest.json');

const faultOf = (signed: SignedManifest) =>
  verifyManifest(signed, verify).then(
    () => '',
    (error: unknown) => (error as Error).message,
  );

interface Vectors {
  note: string;
  seeds: string[];
  signed_manifest: string;
  key_hash: string;
  manifest_sha256: string;
  log: string[];
}

/** Ed25519 is deterministic, and so are these. */
function makeVectors(): Vectors {
  const signed = signManifest();
  const log = new TestLog().addManifest(signed).changeKey(seedOf(2));
  return {
    note: 'Hexadecimal. Written by web/sdk/test/manifest/verify.test.ts with ALCOVE_WRITE_VECTORS=1.',
    seeds: [toHex(seedOf(1)), toHex(seedOf(2))],
    signed_manifest: toHex(toBinary(SignedManifestSchema, signed)),
    key_hash: toHex(sha256(signed.key)),
    manifest_sha256: toHex(sha256(signed.manifest)),
    log: log.entries.map((entry) => toHex(toBinary(SignedTransparencyEntrySchema, entry))),
  };
}

describe('the vectors', () => {
  if (process.env['ALCOVE_WRITE_VECTORS'] === '1' || !existsSync(kFile)) {
    mkdirSync(kFolder, { recursive: true });
    writeFileSync(kFile, `${JSON.stringify(makeVectors(), null, 2)}\n`);
  }
  const vectors = JSON.parse(readFileSync(kFile, 'utf8')) as Vectors;
  const bytes = (hex: string) => fromHex(hex) ?? new Uint8Array();

  it('are what this side signs', () => {
    expect(makeVectors()).toEqual(vectors);
  });

  it('verify: manifest, hashes and log', async () => {
    const signed = fromBinary(SignedManifestSchema, bytes(vectors.signed_manifest));
    const verified = await verifyManifest(signed, verify);
    expect(toHex(verified.keyHash)).toBe(vectors.key_hash);
    expect(toHex(verified.sha256)).toBe(vectors.manifest_sha256);
    expect(verified.manifest.serial).toBe(7n);
    let head = emptyHead();
    for (const entry of vectors.log) {
      const next = await appendEntry(
        head,
        fromBinary(SignedTransparencyEntrySchema, bytes(entry)),
        verify,
      );
      if (next === null) throw new Error('an entry does not hold');
      head = next;
    }
    expect(toHex(head.manifest)).toBe(vectors.manifest_sha256);
  });
});

describe('verifyManifest', () => {
  it('lists the relays, with address, port and protocol', async () => {
    const { relays } = await verifyManifest(signManifest(), verify);
    const has = (address: string, port: number, transport: string) =>
      relays.has(parseAddress(address) ?? '', port, transport);
    expect(has('198.51.100.8', 7879, 'udp')).toBe(true);
    expect(has('2001:DB8:de:0::8', 7878, 'udp')).toBe(true);
    expect(has('198.51.100.8', 7878, 'tcp')).toBe(true);
    expect(has('198.51.100.8', 7879, 'tcp')).toBe(false);
    expect(has('198.51.100.7', 443, 'tcp')).toBe(false);
    expect(has('198.51.100.9', 7878, 'udp')).toBe(false);
  });

  it('refuses any changed bit of manifest, key or signature', async () => {
    for (const part of ['manifest', 'key', 'signature'] as const) {
      for (const at of [0, 7, 31]) {
        const signed = signManifest();
        signed[part] = signed[part].slice();
        signed[part][at] = (signed[part][at] ?? 0) ^ 1;
        expect(await faultOf(signed), `${part} ${String(at)}`).toContain('signature');
      }
    }
    const short = signManifest();
    short.signature = short.signature.subarray(1);
    expect(await faultOf(short)).toContain('length');
    expect(await faultOf(create(SignedManifestSchema))).toContain('length');
  });

  it('refuses the signature of another context', async () => {
    const log = new TestLog();
    const { entry, signature } = log.entries[0] ?? { entry: new Uint8Array(), signature: null };
    const signed = create(SignedManifestSchema, {
      ...signManifest(),
      manifest: entry,
      signature: signature ?? new Uint8Array(),
    });
    expect(await faultOf(signed)).toContain('signature');
  });

  it('holds the bounds', async () => {
    const [house, relay] = kManifest.endpoints ?? [];
    const file = { path: '/x', sha256: seedOf(1), size: 1n };
    const many = <T>(count: number, value: T) => Array.from({ length: count }, () => value);
    for (const [change, words] of [
      [{ version: 2 }, 'version'],
      [{ endpoints: many(257, house) }, 'too many endpoints'],
      [{ webFiles: many(4097, file) }, 'too many files'],
      [{ webFiles: [{ ...file, sha256: new Uint8Array(31) }] }, 'file'],
      [{ policyToml: 'x'.repeat(262_145) }, 'policy'],
      [{ endpoints: [{ ...relay, addresses: many(65, '192.0.2.1') }] }, 'endpoint'],
      [{ endpoints: [{ ...relay, ports: many(65, 1) }] }, 'endpoint'],
      [{ endpoints: [{ ...relay, ports: [65_536] }] }, 'endpoint'],
      [{ endpoints: [{ ...relay, ports: [0] }] }, 'endpoint'],
      [{ endpoints: [{ ...relay, addresses: ['relay.example'] }] }, 'endpoint'],
      [{ endpoints: [{ ...relay, addresses: ['::ffff:192.0.2.1'] }] }, 'endpoint'],
      [{ endpoints: [{ ...relay, addresses: [] }] }, 'endpoint'],
      [{ endpoints: [{ ...relay, host: 'Relay.example' }] }, 'endpoint'],
      [{ endpoints: [{ ...relay, country: 'Germany' }] }, 'endpoint'],
    ] as const) {
      expect(await faultOf(signManifest(change as never)), words).toContain(words);
    }
    expect(await faultOf(signBytes(new Uint8Array(kMaxManifest + 1), seedOf(1)))).toContain(
      'large',
    );
    expect(await faultOf(signBytes(Uint8Array.of(0xff, 0xff), seedOf(1)))).toContain('read');
    const full = many(256, relay);
    expect(await faultOf(signManifest({ endpoints: full } as never))).toBe('');
    const { manifest } = await verifyManifest(signManifest(), verify);
    expect(manifest).toEqual(create(ManifestSchema, kManifest));
  });
});
