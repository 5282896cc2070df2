import type { RoomState } from '../gen/alcove/v1/rooms_pb';
import { memberOfSeat } from './reducer';

/**
 * Silences at once whoever leaves the stage or is muted: the relay has stopped their packets, but up to some
 * hundred milliseconds of them wait in the jitter buffer, and would still be played.
 */
export class CutSlots {
  /** The seat last heard in each slot. */
  readonly #seats = new Map<number, number>();
  /** Slots that are silenced. */
  readonly #cut = new Set<number>();

  constructor(private readonly setAudible: (slot: number, audible: boolean) => void) {}

  /** A frame of this seat came in; as often as the worker tells. */
  heard(slot: number, seat: number, room: RoomState): void {
    const another = this.#seats.get(slot) !== seat;
    this.#seats.set(slot, seat);
    // The event that brings somebody to the stage may come after their first words.
    if (another || mayBeHeard(room, seat)) this.#open(slot);
  }

  stageChanged(before: RoomState, after: RoomState): void {
    for (const [slot, seat] of this.#seats) {
      const member = memberOfSeat(before, seat);
      if (member === undefined) continue;
      const stays = memberOfSeat(after, seat)?.memberId === member.memberId;
      if (stays && mayBeHeard(after, seat)) this.#open(slot);
      else if (!this.#cut.has(slot)) {
        this.#cut.add(slot);
        this.setAudible(slot, false);
      }
    }
  }

  /** The slots are new ones. */
  clear(): void {
    this.#seats.clear();
    this.#cut.clear();
  }

  #open(slot: number): void {
    if (this.#cut.delete(slot)) this.setAudible(slot, true);
  }
}

function mayBeHeard(room: RoomState, seat: number): boolean {
  return memberOfSeat(room, seat)?.muted === false;
}
