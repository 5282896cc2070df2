// A room's code and the fragment of its link (docs/protocol/room-keys.md, "Genesis").

import { concat, fromBase64Url, kNoBytes, readU32, toBase64Url } from './bytes';
import { expand, hmac } from './crypto';
import { kHashSize } from './sizes';

export const kLinkSecretSize = 16;

const kCodeGroups = 6;
const kGroupBytes = 5;

export interface LinkFragment {
  fingerprint: Uint8Array;
  secret: Uint8Array;
}

/** "12345 67890 …": six groups of five digits. */
export function roomCode(fingerprint: Uint8Array): string {
  const groups: string[] = [];
  for (let i = 0; i < kCodeGroups; ++i) {
    const bytes = fingerprint.subarray(kGroupBytes * i, kGroupBytes * (i + 1));
    const value = readU32(bytes) * 256 + (bytes[4] ?? 0);
    groups.push(String(value % 100_000).padStart(5, '0'));
  }
  return groups.join(' ');
}

export function linkMac(secret: Uint8Array, room: Uint8Array, leafHash: Uint8Array): Uint8Array {
  return hmac(expand(secret, 'link', kNoBytes, 32), concat(room, leafHash));
}

/** What follows the # of a link. */
export function linkFragmentText(fragment: LinkFragment): string {
  return `${toBase64Url(fragment.fingerprint)}.${toBase64Url(fragment.secret)}`;
}

/** Without the #. Null for anything else. */
export function parseLinkFragment(text: string): LinkFragment | null {
  const parts = text.split('.');
  if (parts.length !== 2) return null;
  const fingerprint = fromBase64Url(parts[0] ?? '');
  const secret = fromBase64Url(parts[1] ?? '');
  if (fingerprint?.length !== kHashSize || secret?.length !== kLinkSecretSize) return null;
  return { fingerprint, secret };
}
