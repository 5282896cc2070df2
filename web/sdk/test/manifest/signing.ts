// A server's side of the manifest and of its log, for tests.
import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  ManifestEndpoint_Protocol as Protocol,
  ManifestEndpoint_Purpose as Purpose,
  ManifestSchema,
  SignedManifestSchema,
  SignedTransparencyEntrySchema,
  TransparencyEntrySchema,
  TransparencyEntry_Kind as Kind,
  TransparencyPageSchema,
} from '../../src/gen/alcove/v1/manifest_pb';
import type {
  SignedManifest,
  SignedTransparencyEntry,
  TransparencyPage,
} from '../../src/gen/alcove/v1/manifest_pb';
import { concat, utf8 } from '../../src/keys/bytes';
import { ed25519PublicKey, ed25519Sign, ed25519Verify, sha256 } from '../../src/keys/crypto';
import type { VerifySignature } from '../../src/manifest/verify';

export const verify: VerifySignature = (key, message, signature) =>
  Promise.resolve(ed25519Verify(key, message, signature));

export const seedOf = (number: number) => new Uint8Array(32).fill(number);

export const kManifest: MessageInitShape<typeof ManifestSchema> = {
  version: 1,
  serial: 7n,
  createdAtMs: 1_700_000_000_000n,
  software: 'alcove 0.1.0',
  policyToml: 'unknown = "deny"\n\n[location]\ndeny = ["CN"]\n\n[owner]\ndeny = ["CN"]\n',
  database: { name: 'test', date: '2026-06-17', sha256: seedOf(9) },
  endpoints: [
    {
      ...{ purpose: Purpose.HOUSE, host: 'alcove.example', protocol: Protocol.TCP, ports: [443] },
      ...{ addresses: ['198.51.100.7'], country: 'DE', asn: 64500, ownerCountry: 'DE' },
      owner: 'Alcove Example GmbH',
    },
    {
      ...{ purpose: Purpose.RELAY, protocol: Protocol.UDP, ports: [7878, 7879] },
      ...{ addresses: ['198.51.100.8', '2001:db8:de::8', '127.0.0.1'], country: 'DE' },
    },
    {
      ...{ purpose: Purpose.RELAY, protocol: Protocol.TCP, ports: [7878] },
      ...{ addresses: ['198.51.100.8'], country: 'DE' },
    },
  ],
  webFiles: [{ path: '/index.html', sha256: seedOf(8), size: 12n }],
};

export function signBytes(bytes: Uint8Array, seed: Uint8Array): SignedManifest {
  return create(SignedManifestSchema, {
    manifest: bytes,
    key: ed25519PublicKey(seed),
    signature: ed25519Sign(seed, concat(utf8('alcove manifest v1\0'), bytes)),
  });
}

export function signManifest(
  change: MessageInitShape<typeof ManifestSchema> = {},
  seed = seedOf(1),
): SignedManifest {
  const manifest = create(ManifestSchema, { ...kManifest, ...change } as typeof kManifest);
  return signBytes(toBinary(ManifestSchema, manifest), seed);
}

/** A log that is written entry by entry. */
export class TestLog {
  readonly entries: SignedTransparencyEntry[] = [];
  seed: Uint8Array;

  constructor(seed = seedOf(1)) {
    this.seed = seed;
    this.add({ kind: Kind.KEY, key: ed25519PublicKey(seed) });
  }

  add(entry: MessageInitShape<typeof TransparencyEntrySchema>): void {
    const last = this.entries.at(-1);
    const body = toBinary(
      TransparencyEntrySchema,
      create(TransparencyEntrySchema, {
        n: BigInt(this.entries.length),
        previous: last === undefined ? new Uint8Array(32) : sha256(last.entry),
        atMs: 1_700_000_000_000n + BigInt(this.entries.length),
        key: ed25519PublicKey(this.seed),
        ...entry,
      } as typeof entry),
    );
    const signature = ed25519Sign(this.seed, concat(utf8('alcove log v1\0'), body));
    this.entries.push(create(SignedTransparencyEntrySchema, { entry: body, signature }));
  }

  addManifest(signed: SignedManifest): this {
    this.add({ kind: Kind.MANIFEST, manifestSha256: sha256(signed.manifest) });
    return this;
  }

  changeKey(seed: Uint8Array): this {
    this.add({ kind: Kind.KEY, key: ed25519PublicKey(seed) });
    this.seed = seed;
    return this;
  }

  page(from: number, most = 256): TransparencyPage {
    const entries = this.entries.slice(from, from + most);
    return create(TransparencyPageSchema, { entries, size: BigInt(this.entries.length) });
  }
}
