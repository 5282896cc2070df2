/** A device that does not open (there may be none) must not keep the frames back for ever. */
const kGiveUpMs = 5_000;

/**
 * Firefox opens the audio device only when the first sound is to be played, which takes up to 2 s. What
 * arrives meanwhile is played too fast and far too late for 10 s and more, until the jitter buffer has
 * caught up. So the device is opened ahead, by an AudioContext without sound, and frames that arrive
 * before it runs are not decoded. In Firefox only: Chromium's sound is in time without it.
 */
export class OutputDevice {
  #context: AudioContext | null = null;
  #giveUp: ReturnType<typeof setTimeout> | undefined;

  /** @param onReady whether frames should be decoded; true without a call. */
  constructor(
    private readonly onReady: (ready: boolean) => void,
    private readonly createContext = firefoxContext,
  ) {}

  /** Again in each gesture: without one the browser may not start it. */
  open(): void {
    if (this.#context === null) {
      const context = this.createContext();
      if (context === null) return;
      this.#context = context;
      context.onstatechange = () => {
        if (context.state === 'running') this.#ready();
      };
    }
    if (this.#context.state === 'running') return;
    this.onReady(false);
    clearTimeout(this.#giveUp);
    this.#giveUp = setTimeout(() => {
      this.#ready();
    }, kGiveUpMs);
    this.#context.resume().catch(() => undefined);
  }

  close(): void {
    clearTimeout(this.#giveUp);
    const context = this.#context;
    if (context === null) return;
    this.#context = null;
    context.onstatechange = null;
    context.close().catch(() => undefined);
  }

  #ready(): void {
    clearTimeout(this.#giveUp);
    this.onReady(true);
  }
}

function firefoxContext(): AudioContext | null {
  if (typeof navigator === 'undefined' || !navigator.userAgent.includes('Firefox/')) return null;
  return new AudioContext({ latencyHint: 'interactive' });
}
