// May this candidate come in? (docs/protocol/room-keys.md, "Joining", 3)

import { RoomKind } from '../gen/alcove/v1/common_pb';
import { RefuseCandidate_Reason as Reason } from '../gen/alcove/v1/keys_pb';
import type { AdmitTask } from '../gen/alcove/v1/keys_pb';
import { equalSecret } from './bytes';
import { kKeySize, x25519Shared } from './crypto';
import { linkMac } from './link';
import type { LogState } from './log_state';
import { parseCertificate } from './objects';
import type { Certificate } from './objects';
import type { LinkState } from './shared';

/** False for a key of small order: nothing can be sealed to it, and one missing box ends a whole entry. */
export function canBeSealedTo(certificate: Certificate): boolean {
  return x25519Shared(new Uint8Array(kKeySize).fill(1), certificate.encryption) !== null;
}

/** The certificate to admit, or why not. */
export function checkCandidate(
  task: AdmitTask,
  log: LogState,
  moderator: boolean,
  link: LinkState,
): Certificate | Reason {
  const object = task.keys?.certificate;
  if (object === undefined) return Reason.BAD_CERTIFICATE;
  const certificate = parseCertificate(log.fingerprint, object);
  if (typeof certificate === 'string') return Reason.BAD_CERTIFICATE;
  const { identity } = certificate;
  if (log.isBlocked(identity)) return Reason.BLOCKED;
  const inside = log.memberOf(identity) !== null;
  if (log.locked && !inside) {
    if (!moderator) return Reason.CANNOT_CHECK;
    if (!task.known) return Reason.LOCKED;
  }
  const closed = log.genesis.body.kind === RoomKind.CLOSED;
  if (!closed || inside || log.isInvited(identity) || log.hasAuthority(identity)) {
    return certificate;
  }
  return checkLink(task.keys?.linkMac, certificate, log, link) ?? certificate;
}

function checkLink(
  mac: Uint8Array | undefined,
  certificate: Certificate,
  log: LogState,
  link: LinkState,
): Reason | null {
  if (log.linkVoid || mac === undefined || mac.length === 0) return Reason.NO_LINK;
  if (link.secret === null || link.generation !== log.linkGeneration) return Reason.CANNOT_CHECK;
  const expected = linkMac(link.secret, log.fingerprint, certificate.leafHash);
  if (equalSecret(mac, expected)) return null;
  return link.certain ? Reason.NO_LINK : Reason.CANNOT_CHECK;
}
