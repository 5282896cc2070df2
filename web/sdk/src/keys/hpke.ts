// HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, one message a
// context. A box is enc (32) || ciphertext || tag (16).

import { gcm } from '@noble/ciphers/aes';
import { concat, kNoBytes, u16, utf8 } from './bytes';
import { hkdfExpand, hkdfExtract, kKeySize, x25519PublicKey, x25519Shared } from './crypto';

export const kHpkeEncapsulationSize = 32;
export const kHpkeTagSize = 16;

const kVersion = utf8('HPKE-v1');
const kKemSuite = concat(utf8('KEM'), u16(0x0020));
const kHpkeSuite = concat(utf8('HPKE'), u16(0x0020), u16(0x0001), u16(0x0001));
const kModeBase = Uint8Array.of(0);

function labeledExtract(
  suite: Uint8Array,
  salt: Uint8Array,
  label: string,
  inputKey: Uint8Array,
): Uint8Array {
  return hkdfExtract(salt, concat(kVersion, suite, utf8(label), inputKey));
}

function labeledExpand(
  suite: Uint8Array,
  key: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  return hkdfExpand(key, concat(u16(length), kVersion, suite, utf8(label), info), length);
}

/** RFC 9180, sections 4.1 and 5.1. */
function schedule(dh: Uint8Array, enc: Uint8Array, receiver: Uint8Array, info: Uint8Array) {
  const eaePrk = labeledExtract(kKemSuite, kNoBytes, 'eae_prk', dh);
  const shared = labeledExpand(kKemSuite, eaePrk, 'shared_secret', concat(enc, receiver), 32);
  const context = concat(
    kModeBase,
    labeledExtract(kHpkeSuite, kNoBytes, 'psk_id_hash', kNoBytes),
    labeledExtract(kHpkeSuite, kNoBytes, 'info_hash', info),
  );
  const secret = labeledExtract(kHpkeSuite, shared, 'secret', kNoBytes);
  return {
    key: labeledExpand(kHpkeSuite, secret, 'key', context, 16),
    nonce: labeledExpand(kHpkeSuite, secret, 'base_nonce', context, 12),
  };
}

/** The costly half of sealing, which does not need the message: made ahead, used once. */
export class HpkeSealContext {
  #used = false;

  private constructor(
    private readonly encapsulation: Uint8Array,
    private readonly key: Uint8Array,
    private readonly nonce: Uint8Array,
  ) {}

  /** `ephemeral`: 32 new random bytes. Null for a receiver's key of small order. */
  static make(
    receiver: Uint8Array,
    info: Uint8Array,
    ephemeral: Uint8Array,
  ): HpkeSealContext | null {
    const dh = x25519Shared(ephemeral, receiver);
    if (dh === null) return null;
    const encapsulation = x25519PublicKey(ephemeral);
    const { key, nonce } = schedule(dh, encapsulation, receiver, info);
    return new HpkeSealContext(encapsulation, key, nonce);
  }

  seal(aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (this.#used) throw new Error('a context seals one message');
    this.#used = true;
    return concat(this.encapsulation, gcm(this.key, this.nonce, aad).encrypt(plaintext));
  }
}

/** Null for a receiver's key of small order. */
export function hpkeSeal(
  receiver: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  ephemeral: Uint8Array,
): Uint8Array | null {
  return HpkeSealContext.make(receiver, info, ephemeral)?.seal(aad, plaintext) ?? null;
}

/** Null for whatever does not open. */
export function hpkeOpen(
  privateKey: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  box: Uint8Array,
): Uint8Array | null {
  if (box.length < kHpkeEncapsulationSize + kHpkeTagSize) return null;
  const encapsulation = box.slice(0, kKeySize);
  const dh = x25519Shared(privateKey, encapsulation);
  if (dh === null) return null;
  const { key, nonce } = schedule(dh, encapsulation, x25519PublicKey(privateKey), info);
  try {
    return gcm(key, nonce, aad).decrypt(box.slice(kHpkeEncapsulationSize));
  } catch {
    return null;
  }
}
