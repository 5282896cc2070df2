// The worker that every encoded frame passes through, sent and received. Bundled as a file of its own.
import { FramePump } from './frame_pump';
import type { EncodedFrame } from './frame_pump';
import { PlainFrameTransform } from './frame_transform';
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

const kDefaultBucket = 160;

const scope = self as unknown as WorkerScope;
const gate = new SendGate();
const pump = new FramePump(
  gate,
  (message) => {
    scope.postMessage(message);
  },
  new PlainFrameTransform(kDefaultBucket),
);
let voicePort: MessagePort | null = null;

scope.onmessage = ({ data }) => {
  switch (data.type) {
    case 'configure':
      pump.transform = new PlainFrameTransform(data.bucket);
      break;
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
  const frames = new TransformStream<EncodedFrame, EncodedFrame>({
    transform(frame, controller) {
      const now = performance.now();
      const passed =
        side.kind === 'send' ? pump.send(frame, now) : pump.receive(frame, side.slot, now);
      if (passed) controller.enqueue(frame);
    },
  });
  // Ends with the peer connection, by an error on one side of the pipe: nothing is left to do then.
  readable
    .pipeThrough(frames)
    .pipeTo(writable)
    .catch(() => undefined);
}
