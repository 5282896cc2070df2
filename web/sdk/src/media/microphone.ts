import { addWorklet } from '../egress/requests';
import { Writable } from '../observable';
import type { Readable } from '../observable';
import type { LevelReport } from './worker_messages';

export type MicrophoneFault = 'refused' | 'missing' | 'in-use' | 'insecure' | 'failed';

export class MicrophoneError extends Error {
  constructor(
    readonly fault: MicrophoneFault,
    message: string,
  ) {
    super(message);
    this.name = 'MicrophoneError';
  }
}

export function microphoneFault(thrown: unknown): MicrophoneFault {
  switch (thrown instanceof Error ? thrown.name : '') {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
      return 'refused';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'in-use';
    case 'SecurityError':
      return 'insecure';
    default:
      return 'failed';
  }
}

export interface MicrophoneDevice {
  deviceId: string;
  /** Empty until the person has allowed a microphone once. */
  label: string;
}

export async function listMicrophones(): Promise<MicrophoneDevice[]> {
  const devices = (await mediaDevices()?.enumerateDevices()) ?? [];
  return devices
    .filter((device) => device.kind === 'audioinput' && device.deviceId !== '')
    .map(({ deviceId, label }) => ({ deviceId, label }));
}

/** Undefined outside a secure context, whatever TypeScript's library says. */
function mediaDevices(): MediaDevices | undefined {
  return navigator.mediaDevices as MediaDevices | undefined;
}

/**
 * An open microphone: the track to send, its level, and the port on which voice activity is reported.
 * Opening is the moment when the browser asks the person.
 */
export class Microphone {
  readonly #level = new Writable(0);
  #context: AudioContext | null = null;
  #node: AudioWorkletNode | null = null;
  #voicePort: MessagePort | null = null;

  private constructor(private readonly stream: MediaStream) {}

  /** @throws MicrophoneError */
  static async open(workletUrl: string, deviceId?: string): Promise<Microphone> {
    const devices = mediaDevices();
    if (devices === undefined) {
      const insecure = !globalThis.isSecureContext;
      throw new MicrophoneError(insecure ? 'insecure' : 'missing', 'no media devices');
    }
    let stream: MediaStream;
    try {
      stream = await devices.getUserMedia({ audio: constraints(deviceId), video: false });
    } catch (thrown) {
      // A remembered device that is not plugged in any more: any other will do.
      const gone = thrown instanceof Error && thrown.name === 'OverconstrainedError';
      if (gone && deviceId) return Microphone.open(workletUrl);
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      throw new MicrophoneError(microphoneFault(thrown), message);
    }
    const microphone = new Microphone(stream);
    // Without it there is no meter and voice counts as always there: worse, not broken.
    await microphone.#listen(workletUrl).catch(() => undefined);
    return microphone;
  }

  get track(): MediaStreamTrack {
    const track = this.stream.getAudioTracks()[0];
    if (track === undefined) throw new MicrophoneError('missing', 'no audio track');
    return track;
  }

  get deviceId(): string {
    return this.track.getSettings().deviceId ?? '';
  }

  /** 0 to 1, some 15 times a second. */
  get level(): Readable<number> {
    return this.#level;
  }

  /** The worklet's port, once: whoever takes it hands it to the transform worker. */
  takeVoicePort(): MessagePort | null {
    const port = this.#voicePort;
    this.#voicePort = null;
    return port;
  }

  setEnabled(enabled: boolean): void {
    this.track.enabled = enabled;
    if (!enabled) this.#level.set(0);
    if (enabled && this.#context?.state === 'suspended') {
      this.#context.resume().catch(() => undefined);
    }
  }

  /** Unplugged, or taken away in the browser's own settings. */
  onEnded(listener: () => void): void {
    this.track.addEventListener('ended', listener, { once: true });
  }

  close(): void {
    for (const track of this.stream.getTracks()) track.stop();
    this.#node?.port.postMessage(null);
    this.#node?.disconnect();
    this.#context?.close().catch(() => undefined);
    this.#context = null;
    this.#level.set(0);
  }

  async #listen(workletUrl: string): Promise<void> {
    const context = openContext();
    this.#context = context;
    await addWorklet(context, workletUrl);
    const node = new AudioWorkletNode(context, 'alcove-voice', { channelCount: 1 });
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage(port1, [port1]);
    node.port.onmessage = ({ data }: MessageEvent<LevelReport>) => {
      if (this.track.enabled) this.#level.set(data.level);
    };
    context.createMediaStreamSource(this.stream).connect(node);
    // The node is silent; it is connected because some browsers run only what leads to an output.
    node.connect(context.destination);
    this.#node = node;
    this.#voicePort = port2;
    if (context.state === 'suspended') context.resume().catch(() => undefined);
  }
}

function constraints(deviceId: string | undefined): MediaTrackConstraints {
  return {
    ...(deviceId === undefined || deviceId === '' ? {} : { deviceId: { exact: deviceId } }),
    channelCount: 1,
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
  };
}

/** Chromium can run an audio graph without a sound device; others ignore the option. */
function openContext(): AudioContext {
  const options: AudioContextOptions & { sinkId?: { type: 'none' } } = {
    latencyHint: 'interactive',
    sinkId: { type: 'none' },
  };
  try {
    return new AudioContext(options);
  } catch {
    return new AudioContext({ latencyHint: 'interactive' });
  }
}
