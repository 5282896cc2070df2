// What the frames that come in say about the log: of an epoch that no entry announced, or of a member whose
// keys are other ones (docs/protocol/room-keys.md, "Freshness" and "Beats").

const kUnknownAfterMs = 1_000;
const kUnknownOverMs = 5_000;
const kFailingAfterMs = 2_000;
/** A talk spurt's pause: failures of two spurts are not one run. */
const kRunGapMs = 1_500;

export class FrameWatch {
  #unknownSinceMs = Infinity;
  #unknownLastMs = -Infinity;
  readonly #heardMs = new Map<number, number>();
  readonly #failing = new Map<number, { sinceMs: number; lastMs: number }>();

  /** True where the seat was failing until now. */
  opened(nowMs: number, seat: number): boolean {
    this.#heardMs.set(seat, nowMs);
    return this.#failing.delete(seat);
  }

  /** True where the seat's frames have not opened for so long that it is to be told. */
  failed(nowMs: number, seat: number): boolean {
    const known = this.#failing.get(seat);
    const run =
      known !== undefined && nowMs - known.lastMs <= kRunGapMs
        ? known
        : { sinceMs: nowMs, lastMs: nowMs };
    run.lastMs = nowMs;
    this.#failing.set(seat, run);
    return nowMs - run.sinceMs >= kFailingAfterMs;
  }

  /** An entry of the short path came from this seat. */
  wrote(nowMs: number, seat: number): void {
    this.#heardMs.set(seat, nowMs);
  }

  unknownEpoch(nowMs: number): void {
    if (nowMs - this.#unknownLastMs > kUnknownOverMs) this.#unknownSinceMs = nowMs;
    this.#unknownLastMs = nowMs;
  }

  /** An entry announced an epoch. */
  announced(): void {
    this.#unknownSinceMs = Infinity;
    this.#unknownLastMs = -Infinity;
  }

  /** Forgets what is over, so that nothing is due for it any more. */
  handleTimeout(nowMs: number): void {
    if (nowMs - this.#unknownLastMs > kUnknownOverMs) this.announced();
  }

  isUnknown(nowMs: number): boolean {
    const lasted = this.#unknownLastMs - this.#unknownSinceMs >= kUnknownAfterMs;
    return lasted && nowMs - this.#unknownLastMs <= kUnknownOverMs;
  }

  get deadlineMs(): number {
    return this.#unknownLastMs === -Infinity ? Infinity : this.#unknownLastMs + kUnknownOverMs + 1;
  }

  heardMs(seat: number): number {
    return this.#heardMs.get(seat) ?? -Infinity;
  }

  /** Another holder, or none. */
  forget(seat: number): void {
    this.#heardMs.delete(seat);
    this.#failing.delete(seat);
  }
}
