// What the person wants, as ops of a log entry.

import { create } from '@bufbuild/protobuf';
import { Role } from '../gen/alcove/v1/common_pb';
import { LinkBoxSchema, LogOpSchema } from '../gen/alcove/v1/keys_pb';
import type { LogOp } from '../gen/alcove/v1/keys_pb';
import { equal } from './bytes';
import type { RandomSource } from './crypto';
import { linkAad } from './epochs';
import { kLinkSecretSize } from './link';
import type { LogState } from './log_state';
import type { Certificate } from './objects';
import type { SealerPool } from './sealers';
import type { LinkState } from './shared';

export type Want =
  | { kind: 'eject' | 'to-audience' | 'make-moderator' | 'give-stage'; leaf: Uint8Array }
  | { kind: 'step-down' }
  | { kind: 'depart' }
  | { kind: 'lock'; locked: boolean }
  | { kind: 'renew-link' }
  | { kind: 'invite'; identities: Uint8Array[] };

export interface Command {
  id: number;
  want: Want;
}

export interface OpContext {
  log: LogState;
  /** The own leaf hash. */
  own: Uint8Array;
  sealers: SealerPool;
  random: RandomSource;
  link: LinkState;
}

export interface BuiltOp {
  op: LogOp;
  /** Of a new link, in force once the entry is. */
  linkSecret: Uint8Array | null;
}

/** Null where the log has nobody that this could be done to. */
export function buildOp(want: Want, context: OpContext): BuiltOp | null {
  const { log, own } = context;
  switch (want.kind) {
    case 'eject': {
      const member = log.member(want.leaf);
      if (member === null) return null;
      return built('eject', { leaf: want.leaf, identity: member.identity });
    }
    case 'to-audience':
      return built('role', { leaf: want.leaf, role: Role.LISTENER });
    case 'make-moderator':
      return built('role', { leaf: want.leaf, role: Role.MODERATOR });
    case 'step-down':
      return built('role', { leaf: own, role: Role.LISTENER });
    case 'depart':
      return built('depart', { leaf: own });
    case 'lock':
      return built('lock', { locked: want.locked });
    case 'invite':
      return built('invite', { identities: want.identities });
    case 'give-stage':
      return giveStage(want.leaf, context);
    case 'renew-link':
      return renewLink(context);
  }
}

function giveStage(leaf: Uint8Array, context: OpContext): BuiltOp | null {
  const { log, link } = context;
  const member = log.member(leaf);
  const seat = log.nextFreeSeat();
  if (member === null || seat === null) return null;
  // An older one would be the current one to the receiver.
  const current = link.certain && !log.linkVoid && link.generation === log.linkGeneration;
  const secret = current ? link.secret : null;
  const linkBox =
    secret === null ? null : sealLink(member, secret, log.linkGeneration, context.sealers);
  return built('role', {
    leaf,
    role: Role.SPEAKER,
    seat,
    certificate: member.object,
    ...(linkBox === null ? {} : { linkBox }),
  });
}

function renewLink({ log, own, sealers, random }: OpContext): BuiltOp {
  const secret = random(kLinkSecretSize);
  const generation = log.linkGeneration + 1;
  const boxes = [];
  for (const { certificate } of log.stage.values()) {
    if (equal(certificate.leafHash, own)) continue;
    const box = sealLink(certificate, secret, generation, sealers);
    if (box !== null) boxes.push(create(LinkBoxSchema, { leaf: certificate.leafHash, box }));
  }
  return { ...built('link', { generation, boxes }), linkSecret: secret };
}

function sealLink(
  receiver: Certificate,
  secret: Uint8Array,
  generation: number,
  sealers: SealerPool,
): Uint8Array | null {
  return sealers.take('link', receiver)?.seal(linkAad(generation), secret) ?? null;
}

export function built(kind: string, value: object): BuiltOp {
  const op = { case: kind, value } as never;
  return { op: create(LogOpSchema, { op }), linkSecret: null };
}
