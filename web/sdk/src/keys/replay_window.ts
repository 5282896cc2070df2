const kWindow = 128n;
const kMask = (1n << kWindow) - 1n;

/** Which of the newest 128 counters were seen. */
export class ReplayWindow {
  #newest = -1n;
  /** Bit i: newest - i was seen. */
  #seen = 0n;

  /** Neither seen nor older than the window. */
  accepts(counter: bigint): boolean {
    if (counter > this.#newest) return true;
    const age = this.#newest - counter;
    return age < kWindow && ((this.#seen >> age) & 1n) === 0n;
  }

  /** Only for what accepts() took and what was authenticated. */
  add(counter: bigint): void {
    if (counter <= this.#newest) {
      this.#seen |= 1n << (this.#newest - counter);
      return;
    }
    const step = counter - this.#newest;
    this.#seen = step >= kWindow ? 1n : ((this.#seen << step) & kMask) | 1n;
    this.#newest = counter;
  }
}
