// When frames go from one epoch to the next (docs/protocol/room-keys.md, "Use"): senders a moment after the
// entry came, receivers keep the one before for a while.

import type { Epoch } from './epochs';
import type { KeyedFrames } from './frames';

const kSwitchMs = 1_000;
const kKeepMs = 10_000;
const kKeepAfterEjectMs = 2_000;

export class FrameEpochs {
  /** Epochs to send with, by the time from which on; null: its secret is not known. */
  #switches: { atMs: number; number: number | null }[] = [];
  readonly #removals = new Map<number, number>();
  #stuck = false;

  constructor(private readonly frames: KeyedFrames) {}

  /** True while this client should send with an epoch that it does not have: it sends nothing. */
  get stuck(): boolean {
    return this.#stuck;
  }

  /** A newer epoch is in force. `atOnce`: the first one, or its entry has an eject. */
  add(nowMs: number, epoch: Epoch, atOnce: boolean, eject: boolean): void {
    this.#retire(nowMs, eject);
    this.frames.addEpoch(epoch);
    this.#switch(nowMs, epoch.number, atOnce);
  }

  /** The epochs so far are received with for a while only. */
  #retire(nowMs: number, eject: boolean): void {
    const keepMs = eject ? kKeepAfterEjectMs : kKeepMs;
    for (const number of this.frames.liveEpochs()) {
      const endsMs = Math.min(this.#removals.get(number) ?? Infinity, nowMs + keepMs);
      this.#removals.set(number, endsMs);
    }
  }

  /** A fresh epoch is in force whose secret is not known here. */
  missing(nowMs: number, eject: boolean): void {
    this.#retire(nowMs, eject);
    this.#switch(nowMs, null, eject);
  }

  /** Numbers of epochs that are over. */
  handleTimeout(nowMs: number): void {
    while (this.#switches[0] !== undefined && this.#switches[0].atMs <= nowMs) {
      const next = this.#switches.shift();
      this.#stuck = next?.number === null;
      this.frames.setSendEpoch(next?.number ?? null);
    }
    for (const [number, endsMs] of this.#removals) {
      if (endsMs > nowMs) continue;
      this.#removals.delete(number);
      this.frames.removeEpoch(number);
    }
  }

  get deadlineMs(): number {
    return Math.min(this.#switches[0]?.atMs ?? Infinity, ...this.#removals.values());
  }

  #switch(nowMs: number, number: number | null, atOnce: boolean): void {
    const atMs = atOnce ? nowMs : nowMs + kSwitchMs;
    // A newer one at once: those in between are passed over. One that came late replaces its absence.
    this.#switches = this.#switches.filter((other) => other.atMs < atMs && other.number !== null);
    this.#switches.push({ atMs, number });
    this.handleTimeout(nowMs);
  }
}
