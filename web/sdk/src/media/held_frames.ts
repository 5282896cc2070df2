// Frames that cannot be opened yet: of an epoch whose entry is on its way, or of a seat whose holder is. They
// wait a moment, and those behind them wait with them, so that the order is kept.

import type { EncodedFrame } from './frame_pump';

const kHoldMs = 100;
const kMaxHeld = 5;

export type OpenAttempt = 'opened' | 'dropped' | 'hold';

/** Of one slot. */
export class HeldFrames {
  #held: { frame: EncodedFrame; atMs: number }[] = [];

  /** The frames that were opened, in their order. `open` replaces the data of those it opens. */
  push(
    frame: EncodedFrame,
    nowMs: number,
    open: (frame: EncodedFrame) => OpenAttempt,
  ): EncodedFrame[] {
    this.#held.push({ frame, atMs: nowMs });
    if (this.#held.length > kMaxHeld) this.#held.shift();
    return this.release(nowMs, open);
  }

  /** Tries those that wait again. */
  release(nowMs: number, open: (frame: EncodedFrame) => OpenAttempt): EncodedFrame[] {
    const opened: EncodedFrame[] = [];
    for (;;) {
      const first = this.#held[0];
      if (first === undefined) return opened;
      const attempt = open(first.frame);
      if (attempt === 'hold' && nowMs - first.atMs < kHoldMs) return opened;
      this.#held.shift();
      if (attempt === 'opened') opened.push(first.frame);
    }
  }

  get waiting(): boolean {
    return this.#held.length > 0;
  }
}
