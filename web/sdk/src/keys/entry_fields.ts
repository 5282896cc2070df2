// What a log entry must look like whatever the state of the log: sizes, numbers and bounds.

import { Role } from '../gen/alcove/v1/common_pb';
import { Advance } from '../gen/alcove/v1/keys_pb';
import type { LogEntry, LogOp, RoleOp } from '../gen/alcove/v1/keys_pb';
import { kHashSize, kKeySize } from './crypto';

export const kMaxOps = 64;
export const kMaxAdmits = 16;
export const kMaxInvitesOfEntry = 64;
export const kMaxSeat = 255;
/** Of a link box: encapsulation, secret and tag. */
export const kLinkBoxSize = 64;

const kHashFields = ['prev', 'prevShort', 'prevAuthority', 'author', 'rosterHash', 'stageHash'];

export function entryFieldsAreValid(body: LogEntry): boolean {
  for (const field of kHashFields) {
    if ((body[field as 'prev']).length !== kHashSize) return false;
  }
  if (body.n === 0n) return false;
  if (body.advance < Advance.NONE || body.advance > Advance.FRESH) return false;
  if (body.resume && body.advance !== Advance.FRESH) return false;
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
    case 'eject':
      return op.value.leaf.length === kHashSize;
    case 'role':
      return roleIsValid(op.value);
    case 'lock':
      return true;
    case 'link':
      return op.value.boxes.every(
        ({ leaf, box }) => leaf.length === kHashSize && box.length === kLinkBoxSize,
      );
    case 'invite':
      return (
        op.value.identities.length <= kMaxInvitesOfEntry &&
        op.value.identities.every((identity) => identity.length === kKeySize)
      );
    default:
      return false;
  }
}

/** Certificate, seat and box belong to a listener who becomes a speaker, and to nobody else. */
function roleIsValid({ leaf, role, seat, certificate, linkBox }: RoleOp): boolean {
  if (leaf.length !== kHashSize) return false;
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
