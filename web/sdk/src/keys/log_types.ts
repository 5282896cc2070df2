// What the room log's state machine takes and gives. Mirrors src/roomlog/log_state.h.

import type { Role } from '../gen/alcove/v1/common_pb';
import type { Certificate } from './objects';

/** How an entry is linked to what came before. */
export type Follow =
  /** prev, with the roster. */
  | 'full'
  /** prev_short; what needs the roster is taken as it is. */
  | 'short'
  /** prev_authority; used while joining. */
  | 'chain';

export type LogError =
  /** Does not follow. */
  | 'fork'
  /** Not on the stage, or without authority for a resume. */
  | 'bad_author'
  | 'bad_signature'
  /** An op that the author may not write, or that the state does not allow. */
  | 'not_permitted'
  | 'bad_certificate'
  /** n, epoch, time, roster or stage hash are not what the ops yield. */
  | 'wrong_state'
  /** 1,024 authority entries. */
  | 'log_full'
  /** An object of a chain is not well-formed. */
  | 'bad_object';

export interface EntryClass {
  authority: boolean;
  advance: boolean;
  beat: boolean;
  resume: boolean;
}

export function isShort({ authority, advance, beat, resume }: EntryClass): boolean {
  return authority || advance || beat || resume;
}

export function isAuthority({ authority, resume }: EntryClass): boolean {
  return authority || resume;
}

export interface StageMember {
  readonly seat: number;
  /** SPEAKER or MODERATOR. */
  readonly role: Role;
  readonly certificate: Certificate;
  /** n of the entry that gave the seat. */
  readonly since: bigint;
  /**
   * time_ms of its last short-path entry that is known, or of the entry that gave the seat or replaced
   * the leaf.
   */
  readonly lastEntryMs: bigint;
}

/** What an entry did, for whoever derives other state from it. Seat 0: not on the stage. */
export type Change =
  | {
      kind: 'admitted';
      certificate: Certificate;
      /** Leaf hash. */
      replaced: Uint8Array | null;
      seat: number;
      role: Role;
    }
  | { kind: 'departed'; leaf: Uint8Array; seat: number; ejected: boolean }
  | {
      kind: 'role';
      leaf: Uint8Array;
      before: Role;
      after: Role;
      seat: number;
      /** By succession. */
      byRule: boolean;
    }
  | { kind: 'locked'; locked: boolean }
  | { kind: 'link'; generation: number; voided: boolean };
