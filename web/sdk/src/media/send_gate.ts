/** What must hold for a frame to leave. Set by the main thread; voice comes straight from the worklet. */
export interface GateState {
  onStage: boolean;
  muted: boolean;
  reconnecting: boolean;
}

export type GateVerdict = 'open' | 'listener' | 'muted' | 'reconnecting' | 'silent';

/** The worklet reports every 20 ms or so; silence from it for this long means that it does not run. */
export const kVoiceTimeoutMs = 500;

/**
 * Decides for each frame whether it is sent. Closed unless everything allows it, with one exception:
 * voice activity fails open. A worklet that yields nothing (no sound device to drive the audio clock)
 * must not silence a person who speaks.
 */
export class SendGate {
  #state: GateState = { onStage: false, muted: true, reconnecting: false };
  #voiceActive = false;
  #voiceAtMs = Number.NEGATIVE_INFINITY;

  set(state: GateState): void {
    this.#state = { ...state };
  }

  setVoice(active: boolean, nowMs: number): void {
    this.#voiceActive = active;
    this.#voiceAtMs = nowMs;
  }

  /** A new microphone: the old one's word does not count, and the new one gets its time to report. */
  resetVoice(nowMs: number): void {
    this.#voiceActive = false;
    this.#voiceAtMs = nowMs;
  }

  verdict(nowMs: number): GateVerdict {
    const { onStage, muted, reconnecting } = this.#state;
    if (!onStage) return 'listener';
    if (muted) return 'muted';
    if (reconnecting) return 'reconnecting';
    if (nowMs - this.#voiceAtMs > kVoiceTimeoutMs) return 'open';
    return this.#voiceActive ? 'open' : 'silent';
  }
}
