// The state of a member's keys as the main thread sees it.

import { Role } from '../gen/alcove/v1/common_pb';
import { Waiting_Reason } from '../gen/alcove/v1/keys_pb';
import { equal, toBase64Url } from './bytes';
import type { KnownDevices } from './known_devices';
import { linkFragmentText, roomCode } from './link';
import type { KeysSnapshot } from './messages';
import type { Certificate } from './objects';
import type { RoomKeys } from './room_keys';
import type { KeysView, VerifiedMember } from './view';

export interface JoinState {
  keys: RoomKeys;
  codeFromLink: boolean;
  waiting: KeysView['waiting'];
}

export function takeSnapshot(join: JoinState, devices: KnownDevices, nowMs: number): KeysSnapshot {
  const { keys, codeFromLink } = join;
  const { log, link, own } = keys;
  const stage = verifiedStage(keys, devices);
  const changed = stage.filter(({ device }) => device === 'changed');
  const warnings = [
    ...keys.warnings,
    ...changed.map(({ name }) => ({ code: 'device_changed' as const, name, detail: '' })),
  ];
  const stops = warnings.some(({ code }) => code === 'stale' || code === 'unknown_epoch');
  const secret = log?.linkVoid === true ? null : link.secret;
  const { fingerprint } = keys.genesis;
  return {
    view: {
      admitted: keys.admitted,
      waiting: keys.admitted ? null : join.waiting,
      roomCode: roomCode(fingerprint),
      codeFromLink,
      epoch: log?.epoch ?? 0,
      rosterSize: log?.rosterSize ?? 0,
      fullRoster: log?.isFull ?? false,
      locked: log?.locked ?? false,
      linkKnown: secret !== null,
      linkVoid: log?.linkVoid ?? false,
      stage,
      warnings,
      sendingStopped: keys.failed || (stops && !keys.maySend(nowMs)),
    },
    leaf: toBase64Url(own.certificate.leafHash),
    seat: keys.seat,
    fragment: secret === null ? '' : linkFragmentText({ fingerprint, secret }),
    linkGeneration: keys.earlierJoin.linkGeneration,
  };
}

/** Whoever the certificates name, with the seats that the log gives them. */
export function verifiedRoster(
  keys: RoomKeys,
  certificates: readonly Certificate[],
  devices: KnownDevices,
): VerifiedMember[] {
  return certificates.map((certificate) => {
    const member = keys.log?.onStage(certificate.leafHash);
    return verified(keys, certificate, member?.seat ?? 0, member?.role ?? Role.LISTENER, devices);
  });
}

function verifiedStage(keys: RoomKeys, devices: KnownDevices): VerifiedMember[] {
  return [...(keys.log?.stage.values() ?? [])].map(({ certificate, seat, role }) =>
    verified(keys, certificate, seat, role, devices),
  );
}

function verified(
  keys: RoomKeys,
  certificate: Certificate,
  seat: number,
  role: Role,
  devices: KnownDevices,
): VerifiedMember {
  const { account, displayName, identity, leafHash } = certificate;
  const self = equal(identity, keys.own.certificate.identity);
  return {
    ...{ memberId: 0, seat, role, account, name: displayName },
    guest: account === 'guest',
    leaf: toBase64Url(leafHash),
    identity: toBase64Url(identity),
    device: self ? 'self' : devices.device(account, identity),
  };
}

export function waitingOf(reason: Waiting_Reason): KeysView['waiting'] {
  switch (reason) {
    case Waiting_Reason.NOBODY:
      return 'nobody';
    case Waiting_Reason.RESUME:
      return 'resume';
    default:
      return 'asked';
  }
}
