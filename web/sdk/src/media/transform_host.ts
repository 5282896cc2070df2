import { KeysChannel } from '../keys/keys_channel';
import type { GateState } from './send_gate';
import type { FromWorker, Side, ToWorker } from './worker_messages';

declare const RTCRtpScriptTransform: new (worker: Worker, options: Side) => object;

interface TransformTarget {
  transform?: unknown;
  createEncodedStreams?(): { readable: ReadableStream; writable: WritableStream };
}

export function hasScriptTransform(): boolean {
  return typeof RTCRtpScriptTransform === 'function';
}

/** False: this browser cannot run a transform on frames, so it cannot speak or hear here. */
export function canTransformFrames(): boolean {
  if (hasScriptTransform()) return true;
  return typeof RTCRtpSender === 'function' && 'createEncodedStreams' in RTCRtpSender.prototype;
}

/** Why this browser cannot take part in encrypted rooms; null where it can. */
export function unsupportedReason(): null | 'no-transform' | 'no-crypto' {
  if (!canTransformFrames()) return 'no-transform';
  // Without a secure origin anybody on the way could put other code into the page.
  const { isSecureContext } = globalThis as { isSecureContext?: boolean };
  const { subtle } = (globalThis.crypto ?? {}) as { subtle?: SubtleCrypto };
  return isSecureContext === true && subtle !== undefined ? null : 'no-crypto';
}

/** The main thread's side of the transform worker. */
export class TransformHost {
  /** Keys live in the same worker: they meet the frames there. */
  readonly keys = new KeysChannel((message) => {
    this.#post(message);
  });
  #onMessage: (message: FromWorker) => void = () => undefined;

  constructor(private readonly worker: Worker) {
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      switch (data.type) {
        case 'keys-answer':
        case 'keys-to-server':
        case 'keys-view':
          this.keys.handle(data);
          break;
        default:
          this.#onMessage(data);
      }
    };
  }

  listen(listener: (message: FromWorker) => void): void {
    this.#onMessage = listener;
  }

  setGate(gate: GateState): void {
    this.#post({ type: 'gate', gate });
  }

  /** While there is nothing to play on, frames are told of but not decoded. */
  setPlayable(playable: boolean): void {
    this.#post({ type: 'playable', playable });
  }

  /** Hands the worklet's port over; null takes the last one away. */
  setVoicePort(port: MessagePort | null): void {
    this.#post({ type: 'voice-port', port }, port === null ? [] : [port]);
  }

  /** Before the first frame: at once after the transceiver is made. */
  attach(target: RTCRtpSender | RTCRtpReceiver, side: Side): void {
    const object = target as TransformTarget;
    if (hasScriptTransform()) {
      object.transform = new RTCRtpScriptTransform(this.worker, side);
      return;
    }
    const streams = object.createEncodedStreams?.();
    if (streams === undefined) throw new Error('no transforms on frames');
    const { readable, writable } = streams;
    this.#post({ type: 'streams', side, readable, writable }, [readable, writable]);
  }

  close(): void {
    this.worker.terminate();
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }
}
