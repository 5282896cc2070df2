// From one epoch to the next, and the boxes that carry it (docs/protocol/room-keys.md, "Epochs").

import { concat, equalSecret, kNoBytes, lengthPrefixed, readU32, u32, u8, utf8 } from './bytes';
import { expand, hkdfExtract, hmac } from './crypto';
import { HpkeSealContext, hpkeOpen } from './hpke';

export const kSecretSize = 32;
export const kBaseKeySize = 16;
export const kFreshBoxSize = 80;
export const kEpochBoxSize = 84;

/** The chain before the first epoch and in a resume, and the input of a ratchet. */
export const kZeroSecret: Uint8Array = new Uint8Array(kSecretSize);

export interface Epoch {
  number: number;
  secret: Uint8Array;
}

export type BoxKind = 'box' | 'join' | 'rebox' | 'link';

/** `h`: body hash of the entry with the advance. `fresh`: null for a ratchet. */
export function nextEpochSecret(
  chain: Uint8Array,
  fresh: Uint8Array | null,
  h: Uint8Array,
): Uint8Array {
  const joiner = hkdfExtract(chain, fresh ?? kZeroSecret);
  return expand(joiner, 'epoch', h, kSecretSize);
}

/** The salt of the next epoch. */
export function chainOf(epoch: Uint8Array): Uint8Array {
  return expand(epoch, 'chain', kNoBytes, kSecretSize);
}

export function confirmOf(epoch: Uint8Array, h: Uint8Array): Uint8Array {
  return hmac(expand(epoch, 'confirm', kNoBytes, kSecretSize), h);
}

/** Whether this epoch is the one that the entry's author confirmed. */
export function epochIsConfirmed(
  epoch: Uint8Array,
  entry: { object: { confirm: Uint8Array }; bodyHash: Uint8Array },
): boolean {
  return equalSecret(confirmOf(epoch, entry.bodyHash), entry.object.confirm);
}

export function baseKey(epoch: Uint8Array, seat: number, leafHash: Uint8Array): Uint8Array {
  return expand(epoch, 'sframe', concat(u8(seat), leafHash), kBaseKeySize);
}

/** For chat and other room data. */
export function appKey(epoch: Uint8Array): Uint8Array {
  return expand(epoch, 'app', kNoBytes, kSecretSize);
}

/** Info of the HPKE context of a box for the holder of this leaf. */
export function boxInfo(kind: BoxKind, room: Uint8Array, leafHash: Uint8Array): Uint8Array {
  return concat(lengthPrefixed(utf8(`alcove 1 ${kind}`)), room, leafHash);
}

/** Whom a box is for: what it takes of a certificate. */
export interface BoxReceiver {
  leafHash: Uint8Array;
  encryption: Uint8Array;
}

/**
 * The costly half of a box, before its plaintext is known. `ephemeral`: 32 new random bytes. Null for a
 * receiver whose key is of small order: nobody can open such a box.
 */
export function prepareBox(
  kind: BoxKind,
  room: Uint8Array,
  receiver: BoxReceiver,
  ephemeral: Uint8Array,
): HpkeSealContext | null {
  const info = boxInfo(kind, room, receiver.leafHash);
  return HpkeSealContext.make(receiver.encryption, info, ephemeral);
}

/** Plaintext of a JoinBox and a rebox. Aad: hash of the admit entry; of the newest with an advance. */
export function epochPlaintext(epoch: Epoch): Uint8Array {
  return concat(u32(epoch.number), epoch.secret);
}

/** Aad of a link box. */
export function linkAad(generation: number): Uint8Array {
  return u32(generation);
}

/** Opens any box; null for what does not open. */
export function openBox(
  kind: BoxKind,
  room: Uint8Array,
  leafHash: Uint8Array,
  encryptionKey: Uint8Array,
  aad: Uint8Array,
  box: Uint8Array,
): Uint8Array | null {
  return hpkeOpen(encryptionKey, boxInfo(kind, room, leafHash), aad, box);
}

/** Opens a JoinBox or a rebox. */
export function openEpochBox(
  kind: 'join' | 'rebox',
  room: Uint8Array,
  leafHash: Uint8Array,
  encryptionKey: Uint8Array,
  aad: Uint8Array,
  box: Uint8Array,
): Epoch | null {
  if (box.length !== kEpochBoxSize) return null;
  const plaintext = openBox(kind, room, leafHash, encryptionKey, aad, box);
  return plaintext === null ? null : { number: readU32(plaintext), secret: plaintext.slice(4) };
}
