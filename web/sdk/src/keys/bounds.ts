// Every size and number of a signed body that does not depend on the room or its state
// (docs/protocol/room-keys.md, "Signed objects"). Mirrors src/roomlog/bounds.h.

import { Role, RoomKind } from '../gen/alcove/v1/common_pb';
import { Advance } from '../gen/alcove/v1/keys_pb';
import type { Certificate, Genesis, LogEntry, LogOp, RoleOp } from '../gen/alcove/v1/keys_pb';
import { utf8 } from './bytes';
import { kHashSize } from './crypto';

export const kMaxGenesisBody = 512;
export const kMaxCertificateBody = 512;
export const kMaxEntryBody = 65_536;
export const kMaxOps = 64;
export const kMaxAdmits = 16;
export const kMaxLinkBoxes = 255;
export const kMaxInvitesInEntry = 64;
export const kMaxInvites = 1024;
export const kMaxAuthorityEntries = 1024;
export const kMaxRoster = 65_535;
export const kMaxSeat = 255;
/** Encapsulation, secret and tag. */
export const kLinkBoxSize = 64;
export const kDepartAfterMs = 30_000n;

const kMaxNumber = BigInt(Number.MAX_SAFE_INTEGER);
const kRoomIdSize = 16;
const kMinBucket = 64;
const kMaxBucket = 1200;
const kMaxAccountBytes = 64;
const kMaxNameCodePoints = 40;
const kMaxNameBytes = 160;

/** Hashes, leaf hashes and public keys are all of this size. */
function isHash(bytes: Uint8Array): boolean {
  return bytes.length === kHashSize;
}

function isNumber(value: bigint): boolean {
  return value >= 0n && value <= kMaxNumber;
}

export function genesisFieldsAreValid(body: Genesis): boolean {
  return (
    body.version === 1 &&
    body.roomId.length === kRoomIdSize &&
    isHash(body.host) &&
    body.kind >= RoomKind.OPEN &&
    body.kind <= RoomKind.CLOSED &&
    body.packetBucket >= kMinBucket &&
    body.packetBucket <= kMaxBucket &&
    (body.manifestKeyHash.length === 0 || isHash(body.manifestKeyHash)) &&
    isNumber(body.createdAtMs)
  );
}

/** That the leaf is a key at all is checked apart. */
export function certificateFieldsAreValid(body: Certificate): boolean {
  const accountBytes = utf8(body.account).length;
  const nameBytes = utf8(body.displayName).length;
  return (
    isHash(body.roomFingerprint) &&
    isHash(body.identity) &&
    isHash(body.leaf) &&
    isHash(body.encryption) &&
    accountBytes >= 1 &&
    accountBytes <= kMaxAccountBytes &&
    nameBytes >= 1 &&
    nameBytes <= kMaxNameBytes &&
    Array.from(body.displayName).length <= kMaxNameCodePoints
  );
}

export function entryFieldsAreValid(body: LogEntry): boolean {
  if (body.n < 1n || !isNumber(body.n) || !isNumber(body.timeMs)) return false;
  const { prev, prevShort, prevAuthority, author, rosterHash, stageHash } = body;
  if (![prev, prevShort, prevAuthority, author, rosterHash, stageHash].every(isHash)) return false;
  if (body.rosterSize > kMaxRoster) return false;
  if (body.advance < Advance.NONE || body.advance > Advance.FRESH) return false;
  if (body.resume) {
    if (body.advance !== Advance.FRESH || body.ops[0]?.op.case !== 'admit') return false;
  }
  return opsAreBounded(body.ops) && body.ops.every(opIsValid);
}

function opsAreBounded(ops: readonly LogOp[]): boolean {
  let admits = 0;
  let departs = 0;
  for (const { op } of ops) {
    if (op.case === 'admit') ++admits;
    if (op.case === 'depart') ++departs;
  }
  return ops.length <= kMaxOps && admits <= kMaxAdmits && ops.length - admits - departs <= 1;
}

function opIsValid({ op }: LogOp): boolean {
  switch (op.case) {
    case 'admit':
      return op.value.certificate !== undefined && op.value.seat <= kMaxSeat;
    case 'depart':
      return isHash(op.value.leaf);
    case 'eject':
      return isHash(op.value.leaf) && isHash(op.value.identity);
    case 'role':
      return roleIsValid(op.value);
    case 'lock':
      return true;
    case 'link':
      return (
        op.value.boxes.length <= kMaxLinkBoxes &&
        op.value.boxes.every(({ leaf, box }) => isHash(leaf) && box.length === kLinkBoxSize)
      );
    case 'invite': {
      const { identities } = op.value;
      return (
        identities.length >= 1 &&
        identities.length <= kMaxInvitesInEntry &&
        identities.every(isHash)
      );
    }
    default:
      return false;
  }
}

/** Certificate, seat and box belong to a listener who becomes a speaker, and to nobody else. */
function roleIsValid({ leaf, role, seat, certificate, linkBox }: RoleOp): boolean {
  if (!isHash(leaf)) return false;
  switch (role) {
    case Role.LISTENER:
    case Role.MODERATOR:
      return seat === 0 && certificate === undefined && linkBox.length === 0;
    case Role.SPEAKER:
      return (
        seat >= 1 &&
        seat <= kMaxSeat &&
        certificate !== undefined &&
        (linkBox.length === 0 || linkBox.length === kLinkBoxSize)
      );
    default:
      return false;
  }
}
