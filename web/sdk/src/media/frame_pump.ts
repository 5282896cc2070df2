import type { KeyedFrames, OpenResult } from '../keys/frames';
import { HeldFrames } from './held_frames';
import type { OpenAttempt } from './held_frames';
import type { SendGate } from './send_gate';
import type { FrameCounters, FromWorker } from './worker_messages';

/** The part of RTCEncodedAudioFrame that is used. */
export interface EncodedFrame {
  data: ArrayBuffer;
}

/** The room's keys. There is no way for a frame around them. */
export interface FrameKeys {
  /** Null before the join: nothing is sent or heard. */
  readonly frames: KeyedFrames | null;
  maySend(nowMs: number): boolean;
  /** What became of a frame that came in. */
  noteFrame(nowMs: number, result: OpenResult): void;
}

const kHeardIntervalMs = 100;
const kCountersIntervalMs = 1000;
/** Gaps inside a talk spurt do not show as an end of it. */
const kSendingPauseMs = 200;

/**
 * What the worker does with each frame, without the streams around it: gate, encrypt or decrypt, count, and
 * tell the main thread who is heard, at most every 100 ms a slot.
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
  readonly #held = new Map<number, HeldFrames>();
  readonly #heard = new Map<number, { seat: number; atMs: number }>();
  #firstFrame = true;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #sending = false;
  #countersAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly gate: SendGate,
    private readonly post: (message: FromWorker) => void,
    private readonly keys: FrameKeys,
  ) {}

  /** True: send the frame, whose data was replaced. */
  send(frame: EncodedFrame, nowMs: number): boolean {
    const passed = this.#seal(frame, nowMs);
    if (passed) this.#sentAtMs = nowMs;
    this.#reportSending(passed || nowMs - this.#sentAtMs < kSendingPauseMs);
    this.#reportCounters(nowMs);
    return passed;
  }

  /** The frames to decode now, in order, their data replaced: this one, and those that waited before it. */
  receive(frame: EncodedFrame, slot: number, nowMs: number): EncodedFrame[] {
    this.#reportCounters(nowMs);
    let held = this.#held.get(slot);
    if (held === undefined) {
      held = new HeldFrames();
      this.#held.set(slot, held);
    }
    const opened = held.push(frame, nowMs, (next) => this.#open(next, slot, nowMs));
    return this.playable ? opened : [];
  }

  /** Frames that waited and need not any more: the keys have changed, or their time is over. */
  release(slot: number, nowMs: number): EncodedFrame[] {
    const held = this.#held.get(slot);
    const opened = held?.release(nowMs, (next) => this.#open(next, slot, nowMs)) ?? [];
    return this.playable ? opened : [];
  }

  waits(slot: number): boolean {
    return this.#held.get(slot)?.waiting ?? false;
  }

  #open(frame: EncodedFrame, slot: number, nowMs: number): OpenAttempt {
    const { frames } = this.keys;
    if (frames === null) return this.#dropped();
    const result = frames.open(new Uint8Array(frame.data));
    this.keys.noteFrame(nowMs, result);
    if (result.kind === 'dropped') return this.#dropped();
    if (result.kind !== 'opened') return 'hold';
    this.counters.received += 1;
    frame.data = result.opus.buffer;
    this.#reportHeard(slot, result.seat, nowMs);
    return 'opened';
  }

  #dropped(): OpenAttempt {
    this.counters.receiveDropped += 1;
    return 'dropped';
  }

  #reportHeard(slot: number, seat: number, nowMs: number): void {
    if (this.#firstFrame) {
      this.#firstFrame = false;
      this.post({ type: 'first-frame' });
    }
    const last = this.#heard.get(slot);
    if (last?.seat === seat && nowMs - last.atMs < kHeardIntervalMs) return;
    this.#heard.set(slot, { seat, atMs: nowMs });
    this.post({ type: 'heard', slot, seat });
  }

  #seal(frame: EncodedFrame, nowMs: number): boolean {
    const { frames } = this.keys;
    const open = this.gate.verdict(nowMs) === 'open' && this.keys.maySend(nowMs);
    if (!open || frames === null) {
      this.counters.sendGated += 1;
      return false;
    }
    const packet = frames.seal(new Uint8Array(frame.data));
    if (typeof packet === 'string') {
      if (packet === 'too_long') this.counters.sendTooLarge += 1;
      else this.counters.sendGated += 1;
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
