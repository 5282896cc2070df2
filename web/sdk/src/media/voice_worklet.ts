// Runs on the audio thread, on the raw microphone track. Bundled as a file of its own.
import { VoiceActivity } from './voice_activity';
import type { LevelReport, VoiceReport } from './worker_messages';

// The scope of an AudioWorklet, which TypeScript's DOM library leaves out.
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: unknown): void;

const kVoiceIntervalSeconds = 0.02;
const kLevelIntervalSeconds = 0.066;

class VoiceProcessor extends AudioWorkletProcessor {
  readonly #activity = new VoiceActivity({ sampleRate });
  #workerPort: MessagePort | null = null;
  #untilVoice = 0;
  #untilLevel = 0;
  #wasActive = false;
  #peak = 0;
  #stopped = false;

  constructor() {
    super();
    // A port to the transform worker, or null to stop for good.
    this.port.onmessage = ({ data }: MessageEvent<MessagePort | null>) => {
      this.#workerPort = data;
      this.#stopped = data === null;
    };
  }

  process(inputs: Float32Array[][]): boolean {
    const block = inputs[0]?.[0];
    if (block !== undefined) this.#push(block);
    return !this.#stopped;
  }

  #push(block: Float32Array): void {
    const active = this.#activity.push(block);
    this.#peak = Math.max(this.#peak, this.#activity.level);
    this.#untilVoice -= block.length;
    this.#untilLevel -= block.length;
    // A change is told at once: it is the first syllable.
    if (this.#untilVoice <= 0 || active !== this.#wasActive) {
      this.#untilVoice = kVoiceIntervalSeconds * sampleRate;
      this.#wasActive = active;
      this.#workerPort?.postMessage({ active } satisfies VoiceReport);
    }
    if (this.#untilLevel <= 0) {
      this.#untilLevel = kLevelIntervalSeconds * sampleRate;
      this.port.postMessage({ level: this.#peak, active } satisfies LevelReport);
      this.#peak = 0;
    }
  }
}

registerProcessor('alcove-voice', VoiceProcessor);
