// When frames go from one epoch to the next (docs/protocol/room-keys.md, "Use"): senders a moment after the
// entry came, receivers keep the one before for a while. Mirrors src/e2ee/epochs.h.

import type { Epoch } from './epochs';
import type { KeyedFrames } from './frames';

const kSwitchMs = 1_000;
/**
 * Shorter, for a joiner of a quiet room hears nothing until the senders switch; receivers who get the entry late
 * hold the first frames for another 100 ms.
 */
const kSwitchAfterRatchetMs = 400;
const kKeepMs = 10_000;
const kKeepAfterEjectMs = 2_000;

/** Of an entry with an advance. */
export interface AdvanceKind {
  eject: boolean;
  /** A sender must not go on with the epoch before, whether or not it has this one. */
  required: boolean;
}

interface Switch {
  atMs: number;
  number: number;
  required: boolean;
}

export class FrameEpochs {
  /** In the order of their times; an epoch may be given until then. */
  #switches: Switch[] = [];
  readonly #removals = new Map<number, number>();

  constructor(private readonly frames: KeyedFrames) {}

  /** True while this client should send with an epoch that it does not have: it sends nothing. */
  get stuck(): boolean {
    return this.frames.sendEpoch === null;
  }

  /** The first epoch: sent with at once. */
  begin(epoch: Epoch): void {
    this.frames.addEpoch(epoch);
    this.frames.setSendEpoch(epoch.number);
  }

  /** A newer epoch is in force. */
  advance(nowMs: number, epoch: Epoch, kind: AdvanceKind): void {
    this.#retire(nowMs, kind.eject);
    this.frames.addEpoch(epoch);
    this.#switch(nowMs, epoch.number, kind);
  }

  /** A newer epoch is in force whose secret is not known here. */
  missing(nowMs: number, number: number, kind: AdvanceKind): void {
    // A ratchet that nobody can follow takes nobody out: what was, stays live.
    if (kind.required) this.#retire(nowMs, kind.eject);
    this.#switch(nowMs, number, kind);
  }

  /** The epoch that was missing. */
  supply(nowMs: number, epoch: Epoch): void {
    this.#retire(nowMs, false);
    this.frames.addEpoch(epoch);
    const waits = this.#switches.some(({ number }) => number === epoch.number);
    if (!waits) this.frames.setSendEpoch(epoch.number);
  }

  handleTimeout(nowMs: number): void {
    while (this.#switches[0] !== undefined && this.#switches[0].atMs <= nowMs) {
      const due = this.#switches.shift();
      if (due === undefined) break;
      const known = this.frames.liveEpochs().includes(due.number);
      if (known) this.frames.setSendEpoch(due.number);
      else if (due.required) this.frames.setSendEpoch(null);
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

  /** The epochs so far are received with for a while only. */
  #retire(nowMs: number, eject: boolean): void {
    const keepMs = eject ? kKeepAfterEjectMs : kKeepMs;
    for (const number of this.frames.liveEpochs()) {
      const endsMs = Math.min(this.#removals.get(number) ?? Infinity, nowMs + keepMs);
      this.#removals.set(number, endsMs);
    }
  }

  #switch(nowMs: number, number: number, { eject, required }: AdvanceKind): void {
    const waitMs = required ? kSwitchMs : kSwitchAfterRatchetMs;
    const atMs = eject ? nowMs : nowMs + waitMs;
    // An eject overtakes switches that wait.
    this.#switches = this.#switches.filter((other) => other.atMs < atMs);
    this.#switches.push({ atMs, number, required });
    this.handleTimeout(nowMs);
  }
}
