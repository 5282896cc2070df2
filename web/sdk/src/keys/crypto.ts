// The primitives under room keys, synchronous and without the browser's own cryptography, so that
// one step of the state machine is one call. Nothing here throws for hostile input.

import { ed25519, x25519 } from '@noble/curves/ed25519';
import { expand as nobleExpand, extract as nobleExtract } from '@noble/hashes/hkdf';
import { hmac as nobleHmac } from '@noble/hashes/hmac';
import { sha256 as nobleSha256, sha512 } from '@noble/hashes/sha2';
import { compare, concat, equal, lengthPrefixed, utf8 } from './bytes';
import { kHashSize, kKeySize, kSignatureSize } from './sizes';

export { kHashSize, kKeySize, kSignatureSize };

/** Fills with that many random bytes. The worker's is crypto.getRandomValues. */
export type RandomSource = (length: number) => Uint8Array;

const kPoint = ed25519.Point;
const kOrder = kPoint.Fn.ORDER;

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = nobleSha256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export function hmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  return nobleHmac(nobleSha256, key, message);
}

/** RFC 5869; an empty salt is 32 zero bytes. */
export function hkdfExtract(salt: Uint8Array, inputKey: Uint8Array): Uint8Array {
  return nobleExtract(nobleSha256, inputKey, salt);
}

export function hkdfExpand(key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return nobleExpand(nobleSha256, key, info, length);
}

/** Expand of the protocol. */
export function expand(
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const info = concat(lengthPrefixed(utf8(`alcove 1 ${label}`)), lengthPrefixed(context));
  return hkdfExpand(secret, info, length);
}

type Point = InstanceType<typeof kPoint>;

/** The point of a key that is canonical and not of small order. */
function decodeKey(key: Uint8Array): Point | null {
  try {
    const point = kPoint.fromBytes(key, false);
    return point.isSmallOrder() ? null : point;
  } catch {
    return null;
  }
}

function numberLittleEndian(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let value = 0n;
  for (let at = bytes.length - 8; at >= 0; at -= 8) {
    value = (value << 64n) | view.getBigUint64(at, true);
  }
  return value;
}

export function ed25519KeyIsValid(key: Uint8Array): boolean {
  return key.length === kKeySize && decodeKey(key) !== null;
}

/**
 * RFC 8032 without the cofactor: the encoding of [S]B - [k]A is R, byte for byte (k modulo L, as
 * everywhere). The library's own check multiplies by the cofactor and would accept more.
 */
export function ed25519Verify(
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (key.length !== kKeySize || signature.length !== kSignatureSize) return false;
  const point = decodeKey(key);
  if (point === null) return false;
  const s = numberLittleEndian(signature.subarray(32));
  if (s >= kOrder) return false;
  const r = signature.subarray(0, 32);
  const k = numberLittleEndian(sha512(concat(r, key, message))) % kOrder;
  const expected = kPoint.BASE.multiplyUnsafe(s).subtract(point.multiplyUnsafe(k));
  return equal(expected.toBytes(), r);
}

/** Of a seed of 32 bytes. */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed);
}

export function ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, seed);
}

/**
 * RFC 7748. By the Edwards form of the same curve, for whose base point there is a table: several times as
 * fast as the ladder, which counts where a fresh secret is sealed to thousands.
 */
export function x25519PublicKey(privateKey: Uint8Array): Uint8Array {
  const clamped = privateKey.slice();
  clamped[0] = (clamped[0] ?? 0) & 248;
  clamped[31] = ((clamped[31] ?? 0) & 127) | 64;
  const { Y, Z } = kPoint.BASE.multiply(numberLittleEndian(clamped) % kOrder);
  const { Fp } = kPoint;
  return Fp.toBytes(Fp.mul(Fp.add(Z, Y), Fp.inv(Fp.sub(Z, Y))));
}

/** RFC 7748; null where the result is all zero: a public key of small order. */
export function x25519Shared(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | null {
  if (privateKey.length !== kKeySize || publicKey.length !== kKeySize) return null;
  try {
    const shared = x25519.getSharedSecret(privateKey, publicKey);
    return compare(shared, new Uint8Array(kKeySize)) === 0 ? null : shared;
  } catch {
    return null;
  }
}
