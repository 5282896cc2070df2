import type { FrameTransform } from './frame_transform';
import type { SendGate } from './send_gate';
import type { FrameCounters, FromWorker } from './worker_messages';

/** The part of RTCEncodedAudioFrame that is used. */
export interface EncodedFrame {
  data: ArrayBuffer;
}

const kHeardIntervalMs = 100;
const kCountersIntervalMs = 1000;
/** Gaps inside a talk spurt do not show as an end of it. */
const kSendingPauseMs = 200;

/**
 * What the worker does with each frame, without the streams around it: gate, transform, count, and tell
 * the main thread who is heard, at most every 100 ms a slot.
 */
export class FramePump {
  readonly counters: FrameCounters = {
    sent: 0,
    sendTooLarge: 0,
    sendGated: 0,
    received: 0,
    receiveDropped: 0,
  };
  /** False: received frames are counted and told of, but not decoded. */
  playable = true;
  readonly #heard = new Map<number, { seat: number; atMs: number }>();
  #firstFrame = true;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #sending = false;
  #countersAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly gate: SendGate,
    private readonly post: (message: FromWorker) => void,
    public transform: FrameTransform,
  ) {}

  /** True: send the frame, whose data was replaced. */
  send(frame: EncodedFrame, nowMs: number): boolean {
    const passed = this.#seal(frame, nowMs);
    if (passed) this.#sentAtMs = nowMs;
    this.#reportSending(passed || nowMs - this.#sentAtMs < kSendingPauseMs);
    this.#reportCounters(nowMs);
    return passed;
  }

  /** True: decode the frame, whose data was replaced. */
  receive(frame: EncodedFrame, slot: number, nowMs: number): boolean {
    const opened = this.transform.open(new Uint8Array(frame.data));
    this.#reportCounters(nowMs);
    if (typeof opened === 'string') {
      this.counters.receiveDropped += 1;
      return false;
    }
    this.counters.received += 1;
    frame.data = opened.opus.buffer;
    if (this.#firstFrame) {
      this.#firstFrame = false;
      this.post({ type: 'first-frame' });
    }
    const last = this.#heard.get(slot);
    if (last?.seat !== opened.seat || nowMs - last.atMs >= kHeardIntervalMs) {
      this.#heard.set(slot, { seat: opened.seat, atMs: nowMs });
      this.post({ type: 'heard', slot, seat: opened.seat });
    }
    return this.playable;
  }

  #seal(frame: EncodedFrame, nowMs: number): boolean {
    if (this.gate.verdict(nowMs) !== 'open') {
      this.counters.sendGated += 1;
      return false;
    }
    const packet = this.transform.seal(new Uint8Array(frame.data), { seat: this.gate.seat });
    if (packet === null) {
      this.counters.sendTooLarge += 1;
      return false;
    }
    this.counters.sent += 1;
    frame.data = packet.buffer;
    return true;
  }

  #reportSending(sending: boolean): void {
    if (sending === this.#sending) return;
    this.#sending = sending;
    this.post({ type: 'sending', sending });
  }

  #reportCounters(nowMs: number): void {
    if (nowMs - this.#countersAtMs < kCountersIntervalMs) return;
    this.#countersAtMs = nowMs;
    this.post({ type: 'counters', counters: { ...this.counters } });
  }
}
