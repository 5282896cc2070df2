import type { RoomState } from '../gen/alcove/v1/rooms_pb';
import { memberOfSeat } from './reducer';

/** Longer than the pause between two reports of a slot (100 ms), shorter than what looks late. */
const kHeardForMs = 350;
/** Where a browser does not tell levels: somebody who sends speaks, with a ring of middle size. */
const kUnknownLevel = 0.5;
const kMinimumLevel = 0.05;

/**
 * Who speaks how loud: the seat inside the frames of a slot names the person, the decoded sound of that
 * slot gives the level.
 */
export class Speakers {
  readonly #heard = new Map<number, { seat: number; atMs: number }>();

  heard(slot: number, seat: number, nowMs: number): void {
    this.#heard.set(slot, { seat, atMs: nowMs });
  }

  clear(): void {
    this.#heard.clear();
  }

  /** By member id, 0 to 1; people who are not speaking are not in it. */
  levels(room: RoomState, slotLevels: (number | null)[], nowMs: number): Map<number, number> {
    const result = new Map<number, number>();
    for (const [slot, { seat, atMs }] of this.#heard) {
      if (nowMs - atMs > kHeardForMs) continue;
      const member = memberOfSeat(room, seat);
      if (member === undefined) continue;
      const audioLevel = slotLevels[slot] ?? null;
      const level = audioLevel === null ? kUnknownLevel : ringLevel(audioLevel);
      // Frames go on for a second after the last word: by the level alone is it seen that it ended.
      if (level < kMinimumLevel) continue;
      result.set(member.memberId, Math.max(level, result.get(member.memberId) ?? 0));
    }
    return result;
  }
}

/** A linear level of 0 to 1 on a scale of decibels from -50 to -6, as the ear takes it. */
export function ringLevel(linear: number): number {
  if (!(linear > 0)) return 0;
  return Math.min(1, Math.max(0, (20 * Math.log10(linear) + 50) / 44));
}
