// SFrame (RFC 9605), AES_128_GCM_SHA256_128: one key, and the header.

import { gcm } from '@noble/ciphers/aes';
import { concat, kNoBytes, u16, u64, utf8 } from './bytes';
import { hkdfExpand, hkdfExtract } from './crypto';

export const kSFrameTagSize = 16;

const kCipherSuite = 0x0004;
const kMaxInteger = 0xffff_ffff_ffff_ffffn;

export interface SFrameHeader {
  keyId: bigint;
  counter: bigint;
  /** Bytes on the wire. */
  size: number;
}

/** How many bytes a value needs where it does not fit into the first one. */
function extendedSize(value: bigint): number {
  let size = 1;
  for (let rest = value >> 8n; rest > 0n; rest >>= 8n) ++size;
  return size;
}

function readInteger(bytes: Uint8Array, at: number, size: number): bigint | null {
  if (at + size > bytes.length) return null;
  let value = 0n;
  for (let i = at; i < at + size; ++i) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}

/** RFC 9605, section 4.3; null when it does not fit, or is not the shortest encoding. */
export function parseSFrameHeader(frame: Uint8Array): SFrameHeader | null {
  const config = frame[0];
  if (config === undefined) return null;
  let at = 1;
  const field = (bits: number): bigint | null => {
    if ((bits & 8) === 0) return BigInt(bits);
    const size = (bits & 7) + 1;
    const value = readInteger(frame, at, size);
    at += size;
    return value === null || value < 8n || extendedSize(value) !== size ? null : value;
  };
  const keyId = field(config >> 4);
  if (keyId === null) return null;
  const counter = field(config & 15);
  return counter === null ? null : { keyId, counter, size: at };
}

export function sframeHeaderSize(keyId: bigint, counter: bigint): number {
  return 1 + (keyId < 8n ? 0 : extendedSize(keyId)) + (counter < 8n ? 0 : extendedSize(counter));
}

export function writeSFrameHeader(keyId: bigint, counter: bigint): Uint8Array {
  const field = (value: bigint): [number, Uint8Array] => {
    if (value < 8n) return [Number(value), kNoBytes];
    const size = extendedSize(value);
    return [8 | (size - 1), u64(value).subarray(8 - size)];
  };
  const [keyBits, keyBytes] = field(keyId);
  const [counterBits, counterBytes] = field(counter);
  return concat(Uint8Array.of((keyBits << 4) | counterBits), keyBytes, counterBytes);
}

export class SFrameKey {
  readonly #key: Uint8Array;
  readonly #salt: Uint8Array;

  /** `baseKey`: 16 bytes. */
  constructor(
    baseKey: Uint8Array,
    readonly keyId: bigint,
  ) {
    const secret = hkdfExtract(kNoBytes, baseKey);
    const suffix = concat(u64(keyId), u16(kCipherSuite));
    this.#key = hkdfExpand(secret, concat(utf8('SFrame 1.0 Secret key '), suffix), 16);
    this.#salt = hkdfExpand(secret, concat(utf8('SFrame 1.0 Secret salt '), suffix), 12);
  }

  /** Header, ciphertext and tag. The caller never repeats a counter. */
  seal(counter: bigint, metadata: Uint8Array, plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
    if (counter < 0n || counter > kMaxInteger) throw new RangeError('counter of 64 bits');
    const header = writeSFrameHeader(this.keyId, counter);
    const aad = metadata.length === 0 ? header : concat(header, metadata);
    return concat(header, gcm(this.#key, this.#nonce(counter), aad).encrypt(plaintext));
  }

  /** `header` is that of `frame`. Null for whatever does not open. */
  open(header: SFrameHeader, metadata: Uint8Array, frame: Uint8Array): Uint8Array | null {
    if (frame.length < header.size + kSFrameTagSize) return null;
    const aad = concat(frame.subarray(0, header.size), metadata);
    try {
      const nonce = this.#nonce(header.counter);
      return gcm(this.#key, nonce, aad).decrypt(frame.slice(header.size));
    } catch {
      return null;
    }
  }

  #nonce(counter: bigint): Uint8Array {
    const nonce = this.#salt.slice();
    const bytes = u64(counter);
    for (let i = 0; i < 8; ++i) nonce[4 + i] = (nonce[4 + i] ?? 0) ^ (bytes[i] ?? 0);
    return nonce;
  }
}
