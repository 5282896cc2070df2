// Who of the stage writes what nobody asked for, and when (docs/protocol/room-keys.md, "When" and "Beats"):
// beats and fresh epochs, each member after its rank. And what is concluded when nobody does.

const kBeatAfterMs = 5_000;
const kRankStepMs = 1_000;
const kMaxRank = 8;
const kOwnBeatAfterMs = 20_000;
const kStaleAfterMs = 15_000;
const kAdvanceSpacingMs = 1_000;
const kRatchetAfterMs = 5_000;
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
  #freshSeat = 0;
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

  /** An advance or a beat. Seats that were passed over three times by it. */
  freshEntry(nowMs: number, seat: number, beat: boolean, seats: number[]): number[] {
    const missing: number[] = [];
    if (beat) {
      const rank = rankOf(seat, this.#freshSeat, seats);
      for (const other of seats) {
        const otherRank = rankOf(other, this.#freshSeat, seats);
        if (otherRank >= rank || nowMs - this.#turnMs(otherRank) < kPassedAfterMs) continue;
        const passes = (this.#passes.get(other) ?? 0) + 1;
        this.#passes.set(other, passes);
        if (passes === kPassesForWarning) missing.push(other);
      }
    }
    this.#freshMs = nowMs;
    this.#freshSeat = seat;
    return missing;
  }

  /** `agoMs`: before the client came, by its author's clock. */
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
    const turn = this.#turnMs(rankOf(seat, this.#freshSeat, seats));
    return moderator ? Math.min(turn, this.#ownShortMs + kOwnBeatAfterMs) : turn;
  }

  /** When it is this seat's turn to write a fresh epoch. */
  freshMs(seat: number, seats: number[]): number {
    let due = this.#ageMs + kRankStepMs * rankOf(seat, this.#freshSeat, seats);
    for (const [reason, { atMs, afterSeat }] of this.#reasons) {
      const rank = reason === 'lost-box' ? 0 : rankOf(seat, afterSeat, seats);
      due = Math.min(due, atMs + kRankStepMs * rank);
    }
    return Math.max(due, this.advanceMs());
  }

  #turnMs(rank: number): number {
    return this.#freshMs + kBeatAfterMs + kRankStepMs * rank;
  }
}
