import type { KeysFromWorker, KeysToWorker } from '../keys/messages';
import type { GateState } from './send_gate';

/** Main thread to transform worker. */
export type ToWorker =
  | KeysToWorker
  | { type: 'gate'; gate: GateState }
  /** Whether what is received is decoded; true at first. */
  | { type: 'playable'; playable: boolean }
  /** The port on which the voice worklet reports (VoiceReport); null when there is no microphone. */
  | { type: 'voice-port'; port: MessagePort | null }
  /** Old Chromium: streams of createEncodedStreams instead of RTCRtpScriptTransform. */
  | { type: 'streams'; side: Side; readable: ReadableStream; writable: WritableStream };

/** Which of the peer connection's m-lines a transform serves. */
export type Side = { kind: 'send' } | { kind: 'receive'; slot: number };

/** Worklet to worker, every 20 ms or so. */
export interface VoiceReport {
  active: boolean;
}

/** Worklet to main thread, some 15 times a second. */
export interface LevelReport {
  level: number;
  active: boolean;
}

/** Counted since the worker began. */
export interface FrameCounters {
  sent: number;
  sendTooLarge: number;
  sendGated: number;
  received: number;
  receiveDropped: number;
}

/** Transform worker to main thread. */
export type FromWorker =
  | KeysFromWorker
  /** Who speaks in a slot: at each change, and every 100 ms while frames come. */
  | { type: 'heard'; slot: number; seat: number }
  /** Our own frames: when sending begins and stops. */
  | { type: 'sending'; sending: boolean }
  | { type: 'first-frame' }
  | { type: 'counters'; counters: FrameCounters };
