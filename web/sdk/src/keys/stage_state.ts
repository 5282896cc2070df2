// The part of a log's state that everybody in the room has: the stage, authority, blocks, lock and
// link. Only authority entries change it. Mirrors src/roomlog/stage_state.h.

import { Role } from '../gen/alcove/v1/common_pb';
import { kMaxSeat } from './bounds';
import { concat, equal, toHex, u8 } from './bytes';
import { sha256 } from './crypto';
import type { StageMember } from './log_types';

/**
 * Every frame names its sender's seat, so a seat should not pass to another holder while there are seats
 * that nobody has had.
 */
export class SeatBook {
  #next = 1;
  #returned: number[] = [];

  clone(): SeatBook {
    const copy = new SeatBook();
    copy.#next = this.#next;
    copy.#returned = [...this.#returned];
    return copy;
  }

  /** Null when all are held. */
  nextFree(): number | null {
    return this.#next <= kMaxSeat ? this.#next : (this.#returned[0] ?? null);
  }

  /** The next free one is there. */
  take(): void {
    if (this.#next <= kMaxSeat) ++this.#next;
    else this.#returned.shift();
  }

  giveBack(seat: number): void {
    this.#returned.push(seat);
  }
}

/** Keys, as members of a set. */
export class KeySet {
  readonly #keys: Set<string>;

  constructor(keys: Iterable<string> = []) {
    this.#keys = new Set(keys);
  }

  clone(): KeySet {
    return new KeySet(this.#keys);
  }

  get size(): number {
    return this.#keys.size;
  }

  has(key: Uint8Array): boolean {
    return this.#keys.has(toHex(key));
  }

  add(key: Uint8Array): void {
    this.#keys.add(toHex(key));
  }

  delete(key: Uint8Array): void {
    this.#keys.delete(toHex(key));
  }
}

export class StageState {
  seats = new SeatBook();
  authority = new KeySet();
  blocked = new KeySet();
  invited = new KeySet();
  locked = false;
  linkVoid = false;
  linkGeneration = 0;
  /** In the order of seats. */
  #stage = new Map<number, StageMember>();

  clone(): StageState {
    const copy = new StageState();
    copy.seats = this.seats.clone();
    copy.authority = this.authority.clone();
    copy.blocked = this.blocked.clone();
    copy.invited = this.invited.clone();
    copy.locked = this.locked;
    copy.linkVoid = this.linkVoid;
    copy.linkGeneration = this.linkGeneration;
    copy.#stage = new Map(this.#stage);
    return copy;
  }

  get stage(): ReadonlyMap<number, StageMember> {
    return this.#stage;
  }

  findLeaf(leaf: Uint8Array): StageMember | null {
    for (const member of this.#stage.values()) {
      if (equal(member.certificate.leafHash, leaf)) return member;
    }
    return null;
  }

  findIdentity(identity: Uint8Array): StageMember | null {
    for (const member of this.#stage.values()) {
      if (equal(member.certificate.identity, identity)) return member;
    }
    return null;
  }

  hasModerator(): boolean {
    for (const { role } of this.#stage.values()) {
      if (role === Role.MODERATOR) return true;
    }
    return false;
  }

  /** Adds, or takes the place of who has this seat. */
  set(member: StageMember): void {
    const isNew = !this.#stage.has(member.seat);
    this.#stage.set(member.seat, member);
    if (isNew) {
      this.#stage = new Map([...this.#stage].sort(([left], [right]) => left - right));
    }
  }

  /** Gives the seat back. */
  leave(seat: number): void {
    this.#stage.delete(seat);
    this.seats.giveBack(seat);
  }

  /** H(for each seat in ascending order: u8 seat || leaf hash || identity || u8 role). */
  hash(): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const { seat, role, certificate } of this.#stage.values()) {
      parts.push(u8(seat), certificate.leafHash, certificate.identity, u8(role));
    }
    return sha256(concat(...parts));
  }
}
