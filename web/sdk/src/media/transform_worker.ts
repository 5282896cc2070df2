// The worker that every encoded frame passes through, sent and received, and where the room's keys are. Bundled
// as a file of its own.
import { IndexedKeyDatabase } from '../keys/database';
import { KeysWorker } from '../keys/keys_worker';
import { FramePump } from './frame_pump';
import type { EncodedFrame } from './frame_pump';
import { SendGate } from './send_gate';
import type { FromWorker, Side, ToWorker, VoiceReport } from './worker_messages';

interface RtcTransformer {
  readable: ReadableStream<EncodedFrame>;
  writable: WritableStream<EncodedFrame>;
  options: Side;
}

/** DedicatedWorkerGlobalScope; TypeScript's DOM library describes windows. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  onrtctransform: ((event: Event & { transformer: RtcTransformer }) => void) | null;
  postMessage(message: FromWorker): void;
}

/** Longer than frames wait for a key. */
const kReleaseMs = 101;

const scope = self as unknown as WorkerScope;
const gate = new SendGate();
const post = (message: FromWorker) => {
  scope.postMessage(message);
};
/** Where the frames of a slot go that waited. */
const outputs = new Map<number, TransformStreamDefaultController<EncodedFrame>>();
// Outside a secure context there is neither, whatever TypeScript's library says.
const { subtle } = crypto as { subtle?: SubtleCrypto };
const { indexedDB } = globalThis as { indexedDB?: IDBFactory };
const keys = new KeysWorker({
  post,
  onKeys: releaseFrames,
  database: indexedDB === undefined ? null : new IndexedKeyDatabase(indexedDB),
  subtle: subtle ?? null,
});
const pump = new FramePump(gate, post, keys);
let voicePort: MessagePort | null = null;

scope.onmessage = ({ data }) => {
  switch (data.type) {
    case 'gate':
      gate.set(data.gate);
      break;
    case 'playable':
      pump.playable = data.playable;
      break;
    case 'voice-port':
      usePort(data.port);
      break;
    case 'streams':
      run({ readable: data.readable, writable: data.writable, options: data.side });
      break;
    default:
      keys.handle(data);
  }
};

scope.onrtctransform = (event) => {
  run(event.transformer);
};

function usePort(port: MessagePort | null): void {
  voicePort?.close();
  voicePort = port;
  gate.resetVoice(performance.now());
  if (port === null) return;
  port.onmessage = ({ data }: MessageEvent<VoiceReport>) => {
    gate.setVoice(data.active, performance.now());
  };
}

function run({ readable, writable, options: side }: RtcTransformer): void {
  const frames = side.kind === 'send' ? sendingStream() : receivingStream(side.slot);
  // Ends with the peer connection, by an error on one side of the pipe: nothing is left to do then.
  readable
    .pipeThrough(frames)
    .pipeTo(writable)
    .catch(() => undefined);
}

function sendingStream(): TransformStream<EncodedFrame, EncodedFrame> {
  return new TransformStream({
    transform(frame, controller) {
      if (pump.send(frame, performance.now())) controller.enqueue(frame);
    },
  });
}

function receivingStream(slot: number): TransformStream<EncodedFrame, EncodedFrame> {
  return new TransformStream({
    start(controller) {
      outputs.set(slot, controller);
    },
    transform(frame, controller) {
      for (const opened of pump.receive(frame, slot, performance.now())) controller.enqueue(opened);
      if (pump.waits(slot)) setTimeout(releaseFrames, kReleaseMs);
    },
  });
}

function releaseFrames(): void {
  const now = performance.now();
  for (const [slot, controller] of outputs) {
    for (const opened of pump.release(slot, now)) {
      try {
        controller.enqueue(opened);
      } catch {
        // The stream has ended with its peer connection.
      }
    }
  }
}
