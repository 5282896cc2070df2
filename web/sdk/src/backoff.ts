/** Growing pauses between attempts, with jitter so that a room of clients does not come back in step. */
export class Backoff {
  #attempt = 0;

  constructor(
    private readonly firstMs: number,
    private readonly maxMs: number,
    private readonly random: () => number = Math.random,
    private readonly growth = 2,
  ) {}

  /** Between half of the step and the whole of it; the step grows (doubles) up to the maximum. */
  nextDelayMs(): number {
    const step = Math.min(this.maxMs, this.firstMs * this.growth ** Math.min(this.#attempt, 40));
    this.#attempt += 1;
    return step / 2 + (step / 2) * this.random();
  }

  get attempts(): number {
    return this.#attempt;
  }

  reset(): void {
    this.#attempt = 0;
  }
}
