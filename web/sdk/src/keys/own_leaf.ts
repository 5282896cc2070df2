// The keys of one join: made for it, in memory only, gone with it.

import { create } from '@bufbuild/protobuf';
import { CertificateSchema } from '../gen/alcove/v1/keys_pb';
import { ed25519PublicKey, kKeySize, x25519PublicKey } from './crypto';
import type { RandomSource } from './crypto';
import type { Identity } from './identity_store';
import { makeCertificate } from './objects';
import type { Certificate, Genesis } from './objects';

export interface OwnLeaf {
  certificate: Certificate;
  /** Seed of the Ed25519 key that signs entries. */
  leafSeed: Uint8Array;
  /** X25519: boxes for this join are sealed to it. */
  encryptionKey: Uint8Array;
}

export async function makeOwnLeaf(
  genesis: Genesis,
  identity: Identity,
  account: string,
  displayName: string,
  random: RandomSource,
): Promise<OwnLeaf> {
  const leafSeed = random(kKeySize);
  const encryptionKey = random(kKeySize);
  const body = create(CertificateSchema, {
    roomFingerprint: genesis.fingerprint,
    identity: identity.publicKey,
    leaf: ed25519PublicKey(leafSeed),
    encryption: x25519PublicKey(encryptionKey),
    account,
    displayName,
  });
  const sign = (message: Uint8Array) => identity.sign(message);
  const certificate = await makeCertificate(genesis.fingerprint, body, sign);
  return { certificate, leafSeed, encryptionKey };
}
