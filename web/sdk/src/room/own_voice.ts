import type { Microphone } from '../media/microphone';
import type { TransformHost } from '../media/transform_host';
import { isOnStage } from './reducer';
import type { RoomView } from './view';

export interface OwnVoiceHost {
  view(): RoomView;
  patch(change: Partial<RoomView>): void;
  setTrack(track: MediaStreamTrack | null): Promise<void>;
  /** The room's revision after it. */
  tellMuted(muted: boolean): Promise<bigint>;
}

/** This member's own sound: its microphone, whether it is muted, and the gate that its frames have to pass. */
export class OwnVoice {
  /** The worker's word: frames are leaving. */
  sending = false;
  #microphone: Microphone | null = null;
  #mutesInFlight = 0;
  #closed = false;
  /** The revision from which on the server's word about our mute is newer than ours. */
  #muteRevision = 0n;

  constructor(
    private readonly transforms: TransformHost,
    private readonly host: OwnVoiceHost,
  ) {}

  get track(): MediaStreamTrack | null {
    return this.#microphone?.track ?? null;
  }

  /** A new join: revisions begin anew. */
  joined(): void {
    this.#muteRevision = 0n;
  }

  async setMicrophone(microphone: Microphone | null): Promise<void> {
    if (this.#closed) {
      // The room ended while it was asked for: nobody would close it any more.
      microphone?.close();
      return;
    }
    const before = this.#microphone;
    if (before === microphone) return;
    this.#microphone = microphone;
    this.transforms.setVoicePort(microphone?.takeVoicePort() ?? null);
    microphone?.setEnabled(!this.host.view().muted);
    microphone?.onEnded(() => {
      if (this.#microphone === microphone) void this.setMicrophone(null);
    });
    this.host.patch({ hasMicrophone: microphone !== null });
    if (microphone === null) this.applyMuted(true);
    this.updateGate();
    await this.host.setTrack(this.track);
    before?.close();
    if (microphone === null && this.#onStage()) await this.setMuted(true).catch(() => undefined);
  }

  /** Takes effect here at once, before the server knows. Unmuting without a microphone does nothing. */
  async setMuted(muted: boolean): Promise<void> {
    if (!muted && this.#microphone === null) return;
    this.applyMuted(muted);
    this.#mutesInFlight += 1;
    try {
      this.#muteRevision = await this.host.tellMuted(muted);
    } finally {
      this.#mutesInFlight -= 1;
    }
  }

  /** Here alone. */
  applyMuted(muted: boolean): void {
    this.#microphone?.setEnabled(!muted);
    if (this.host.view().muted !== muted) this.host.patch({ muted });
    this.updateGate();
  }

  /** The room has changed. */
  roomChanged(wasOnStage: boolean): void {
    const { room } = this.host.view();
    const onStage = this.#onStage();
    if (wasOnStage && !onStage) {
      // Moved down: the microphone is really off, not only unheard.
      void this.setMicrophone(null);
    }
    const current = this.#mutesInFlight === 0 && room.revision >= this.#muteRevision;
    if (onStage && current && room.self?.muted === true) this.applyMuted(true);
    this.updateGate();
  }

  updateGate(): void {
    const { muted, phase } = this.host.view();
    this.transforms.setGate({
      onStage: this.#onStage() && this.#microphone !== null,
      muted,
      reconnecting: phase !== 'connected',
    });
  }

  /** The own level, 0 to 1, while it is sent; null otherwise. */
  level(): number | null {
    if (this.#microphone === null || this.host.view().muted || !this.sending) return null;
    // The meter shows quiet rooms too; a ring begins where speech does.
    return Math.max(0, (this.#microphone.level.value - 0.25) / 0.6);
  }

  close(): void {
    this.#closed = true;
    this.transforms.setVoicePort(null);
    this.#microphone?.close();
    this.#microphone = null;
  }

  #onStage(): boolean {
    return isOnStage(this.host.view().room.self);
  }
}
