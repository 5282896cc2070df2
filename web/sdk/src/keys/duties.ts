// Who of the stage writes what nobody asked for, and when (docs/protocol/room-keys.md, "When" and "Beats"):
// beats and fresh epochs, each member after its rank. And what is concluded when nobody does.

const kBeatAfterMs = 5_000;
const kRankStepMs = 1_000;
const kMaxRank = 8;
/** A moderator's beat between the turns: early in one, so that nobody takes it for the next. */
const kOwnBeatAfterMs = 20_000;
const kOwnBeatWithinMs = 3_000;
const kOwnBeatAtLatestMs = 24_000;
const kStaleAfterMs = 15_000;
const kAdvanceSpacingMs = 1_000;
/** What is sent for longer in one epoch, a joiner must not read. */
export const kRatchetAfterMs = 5_000;
const kFreshAgeMs = 600_000;
/** A beat of a higher rank this long after a turn: it was passed over. */
const kPassedAfterMs = 800;
const kPassesForWarning = 3;

export type FreshReason = 'left' | 'removed' | 'lacking' | 'audience' | 'age' | 'lost-box';

/** 0 for the next seat, cyclically, after that one; `seat` itself is among the seats. */
export function rankOf(seat: number, afterSeat: number, seats: Iterable<number>): number {
  const distance = (other: number) => (other - afterSeat - 1 + 512) % 256;
  let rank = 0;
  for (const other of seats) if (distance(other) < distance(seat)) ++rank;
  return Math.min(rank, kMaxRank);
}

export class Duties {
  /** The newest advance or beat. */
  #freshMs = -Infinity;
  /** The beat that began the turn, and the seat of its author. */
  #turnMs = -Infinity;
  #turnSeat = 0;
  /** A beat has shown whose turn it is. */
  #knowsTurn = false;
  #advanceMs = -Infinity;
  #ownShortMs = -Infinity;
  #ageMs = Infinity;
  readonly #reasons = new Map<FreshReason, { atMs: number; afterSeat: number }>();
  readonly #passes = new Map<number, number>();

  /** An entry of the short path was applied, written from that seat. */
  shortEntry(nowMs: number, seat: number, own: boolean): void {
    this.#passes.set(seat, 0);
    if (own) this.#ownShortMs = nowMs;
  }

  /** The own client has come onto the stage: its entries count from here. */
  seated(nowMs: number): void {
    this.#ownShortMs = nowMs;
  }

  /** An advance. It is nobody's turn: whoever lets many in would never let the turn go on. */
  fresh(nowMs: number): void {
    this.#freshMs = nowMs;
  }

  /** The client comes in, or (`known`) the room goes on with that seat. */
  beginTurns(nowMs: number, seat: number, known: boolean): void {
    this.#turnMs = nowMs;
    this.#turnSeat = seat;
    this.#knowsTurn = known;
  }

  /** A beat. Seats that were passed over three times by it. */
  beat(nowMs: number, seat: number, moderator: boolean, seats: number[]): number[] {
    this.#freshMs = nowMs;
    // Moderators alone write between the turns.
    const early = nowMs < this.#turnMs + kBeatAfterMs - kPassedAfterMs;
    if (this.#knowsTurn && moderator && early) return [];
    const missing = this.#knowsTurn ? this.#passOver(nowMs, seat, seats) : [];
    this.beginTurns(nowMs, seat, true);
    return missing;
  }

  /** `agoMs`: before the client came. */
  advanced(nowMs: number, fresh: boolean, agoMs = 0): void {
    this.#advanceMs = nowMs - agoMs;
    if (fresh) {
      this.#reasons.clear();
      this.#ageMs = nowMs + kFreshAgeMs - agoMs;
    } else if (this.#ageMs === Infinity) {
      this.#ageMs = nowMs + kFreshAgeMs - agoMs;
    }
  }

  /** A fresh epoch is wanted from that time on, by the ranks after that seat. */
  wantFresh(reason: FreshReason, atMs: number, afterSeat: number): void {
    const known = this.#reasons.get(reason);
    if (known === undefined || known.atMs > atMs) this.#reasons.set(reason, { atMs, afterSeat });
  }

  dropFresh(reason: FreshReason): void {
    this.#reasons.delete(reason);
  }

  seatEmptied(seat: number): void {
    this.#passes.delete(seat);
  }

  staleMs(): number {
    return this.#freshMs + kStaleAfterMs;
  }

  /** When an entry may have an advance again. */
  advanceMs(): number {
    return this.#advanceMs + kAdvanceSpacingMs;
  }

  wantsRatchet(nowMs: number): boolean {
    return nowMs - this.#advanceMs >= kRatchetAfterMs;
  }

  beatMs(seat: number, seats: number[], moderator: boolean): number {
    const turn = this.#dueMs(rankOf(seat, this.#turnSeat, seats));
    if (!moderator) return turn;
    const between = this.#ownShortMs + kOwnBeatAfterMs;
    const early = between <= this.#turnMs + kOwnBeatWithinMs;
    return Math.min(turn, early ? between : this.#ownShortMs + kOwnBeatAtLatestMs);
  }

  /** When it is this seat's turn to write a fresh epoch. */
  freshMs(seat: number, seats: number[]): number {
    let due = this.#ageMs + kRankStepMs * rankOf(seat, this.#turnSeat, seats);
    for (const [reason, { atMs, afterSeat }] of this.#reasons) {
      const rank = reason === 'lost-box' ? 0 : rankOf(seat, afterSeat, seats);
      due = Math.min(due, atMs + kRankStepMs * rank);
    }
    return Math.max(due, this.advanceMs());
  }

  #dueMs(rank: number): number {
    return this.#turnMs + kBeatAfterMs + kRankStepMs * rank;
  }

  #passOver(nowMs: number, seat: number, seats: number[]): number[] {
    const missing: number[] = [];
    const rank = rankOf(seat, this.#turnSeat, seats);
    for (const other of seats) {
      const otherRank = rankOf(other, this.#turnSeat, seats);
      if (otherRank >= rank || nowMs - this.#dueMs(otherRank) < kPassedAfterMs) continue;
      const passes = (this.#passes.get(other) ?? 0) + 1;
      this.#passes.set(other, passes);
      if (passes === kPassesForWarning) missing.push(other);
    }
    return missing;
  }
}
