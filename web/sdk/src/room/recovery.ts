import { Backoff } from '../backoff';

export type Attempt = 'recovered' | 'retry' | 'over';

export interface RecoveryHost {
  /** One attempt; must end by itself within a few seconds, and soon after the signal. failed: those before it. */
  attempt(signal: AbortSignal, failed: number): Promise<Attempt>;
  /** When it begins and when it has recovered; not when it is over. */
  onChange(): void;
}

/**
 * Tries until the path is back: at once, then with growing pauses. One run at a time. A change of the
 * network cuts pauses and hopeless attempts short.
 */
export class Recovery {
  #running = false;
  #stopped = false;
  #attempt = new AbortController();
  #wake: () => void = () => undefined;

  constructor(
    private readonly host: RecoveryHost,
    // Slow growth: a network that comes back after some seconds is noticed well within one.
    private readonly makeBackoff = () => new Backoff(200, 2000, Math.random, 1.3),
  ) {}

  get running(): boolean {
    return this.#running;
  }

  /** Does nothing while it runs. */
  begin(): void {
    if (this.#stopped || this.#running) return;
    this.#running = true;
    this.host.onChange();
    void this.#run();
  }

  /** Begins, or gives up the attempt that is under way on the network that was, and makes the next. */
  beginAnew(): void {
    if (!this.#running) {
      this.begin();
      return;
    }
    this.#attempt.abort();
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#attempt.abort();
    this.#wake();
  }

  async #run(): Promise<void> {
    let backoff = this.makeBackoff();
    let failed = 0;
    while (!this.#stopped) {
      const controller = new AbortController();
      this.#attempt = controller;
      const attempt = await this.host.attempt(controller.signal, failed);
      if (attempt !== 'retry') {
        this.#running = false;
        if (attempt === 'recovered') this.host.onChange();
        return;
      }
      failed += 1;
      if (!controller.signal.aborted) await this.#pause(backoff.nextDelayMs());
      // Another network: what failed on the one before says nothing.
      if (controller.signal.aborted) {
        backoff = this.makeBackoff();
        failed = 0;
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
