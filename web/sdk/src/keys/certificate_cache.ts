// Certificates that were verified: the same one comes with the request to join, the entry that admits, and
// rosters, and verifying is what costs most in a large room.

import { equal, toHex } from './bytes';
import type { Certificate } from './objects';

const kMaxCached = 8192;

const cached = new Map<string, { room: Uint8Array; certificate: Certificate }>();

/** `hash`: of the whole object, so that whatever else differs is another one. */
export function cachedCertificate(room: Uint8Array, hash: Uint8Array): Certificate | null {
  const known = cached.get(toHex(hash));
  return known !== undefined && equal(known.room, room) ? known.certificate : null;
}

export function cacheCertificate(room: Uint8Array, certificate: Certificate): void {
  cached.set(toHex(certificate.leafHash), { room, certificate });
  for (const oldest of cached.keys()) {
    if (cached.size <= kMaxCached) break;
    cached.delete(oldest);
  }
}
