import { EgressError } from '../egress/error';
import { applyAnswer, openPeer, strayRemote } from '../egress/peer';
import type { CheckedAnswer } from '../egress/peer';
import type { VerifiedManifest } from '../manifest/verify';
import type { AudioOutput, AudioSink } from './audio_sink';
import { stripCandidates } from './sdp';
import { sleep } from '../timing';
import { readStats } from './stats';
import type { MediaSnapshot } from './stats';
import { hasScriptTransform } from './transform_host';
import type { TransformHost } from './transform_host';

export interface ConnectionEvents {
  /** The peer connection's own word, e.g. "connected", "disconnected", "failed". */
  onState(state: RTCPeerConnectionState): void;
  onAutoplayBlocked(): void;
  /** The browser has found a way of its own, which no manifest lists. The connection is closed. */
  onStray(error: EgressError): void;
}

interface PathBaseline {
  responses: Map<string, number>;
  packets: number;
  transitions: number;
}

const kPollMs = 40;

/**
 * One RTCPeerConnection to the relay: one m-line that sends, without a track until there is a microphone,
 * and `slots` that receive. One offer and answer, and one more pair for each ICE restart.
 */
export class MediaConnection {
  readonly #pc: RTCPeerConnection;
  readonly #sender: RTCRtpSender;
  readonly #slots: RTCRtpTransceiver[] = [];
  readonly #outputs: AudioOutput[] = [];
  /** Changes of the ICE state so far: a browser that counts no responses shows a restart here. */
  #transitions = 0;
  #closed = false;
  #manifest: VerifiedManifest;

  constructor(
    manifest: VerifiedManifest,
    transforms: TransformHost,
    sink: AudioSink,
    slots: number,
    private readonly events: ConnectionEvents,
  ) {
    this.#manifest = manifest;
    const pc = openPeer(manifest, !hasScriptTransform());
    this.#pc = pc;
    pc.onconnectionstatechange = () => {
      if (!this.#closed) this.events.onState(pc.connectionState);
    };
    pc.oniceconnectionstatechange = () => {
      this.#transitions += 1;
      // The ICE state is ahead of the whole connection's where the path is lost.
      const lost = pc.iceConnectionState === 'disconnected' || pc.iceConnectionState === 'failed';
      if (lost && !this.#closed) this.events.onState(pc.iceConnectionState);
    };
    const sending = pc.addTransceiver('audio', { direction: 'sendonly' });
    preferOpus(sending);
    this.#sender = sending.sender;
    transforms.attach(sending.sender, { kind: 'send' });
    for (let slot = 0; slot < slots; ++slot) {
      const transceiver = pc.addTransceiver('audio', { direction: 'recvonly' });
      preferOpus(transceiver);
      transforms.attach(transceiver.receiver, { kind: 'receive', slot });
      this.#slots.push(transceiver);
      this.#outputs.push(sink.open(slot, new MediaStream([transceiver.receiver.track])));
    }
  }

  /** The offer to send, without candidates; nothing is waited for. */
  async createOffer(): Promise<string> {
    const offer = await this.#pc.createOffer();
    await this.#pc.setLocalDescription(offer);
    return stripCandidates(offer.sdp ?? '');
  }

  /**
   * New ICE credentials; DTLS and SRTP go on. The offer takes effect only once the server has answered it:
   * each that did would open sockets and begin checks, and attempts while there is no network would pile
   * up hundreds of hopeless pairs before the one that works.
   * @throws what `send` throws; the connection is as before then.
   */
  async restart(send: (offer: string) => Promise<CheckedAnswer>): Promise<void> {
    const offer = await this.#pc.createOffer({ iceRestart: true });
    const answer = await send(stripCandidates(offer.sdp ?? ''));
    if (this.#closed) return;
    await this.#pc.setLocalDescription(offer);
    await this.acceptAnswer(answer);
  }

  async acceptAnswer(answer: CheckedAnswer): Promise<void> {
    await applyAnswer(this.#pc, answer);
    this.play();
  }

  /** What remote candidates are held against from here on. */
  useManifest(manifest: VerifiedManifest): void {
    this.#manifest = manifest;
  }

  /** Starts what the browser holds back. Best called in a gesture. */
  play(): void {
    for (const output of this.#outputs) {
      output.play().catch((thrown: unknown) => {
        const blocked = thrown instanceof DOMException && thrown.name === 'NotAllowedError';
        if (blocked && !this.#closed) this.events.onAutoplayBlocked();
      });
    }
  }

  /** No renegotiation: the m-line was there from the start. */
  async setTrack(track: MediaStreamTrack | null): Promise<void> {
    await this.#sender.replaceTrack(track);
  }

  /** False: what is decoded of the slot, and waits in its jitter buffer, is played as silence. */
  setAudible(slot: number, audible: boolean): void {
    const transceiver = this.#slots[slot];
    if (transceiver !== undefined) transceiver.receiver.track.enabled = audible;
  }

  get state(): RTCPeerConnectionState {
    return this.#pc.connectionState;
  }

  async snapshot(): Promise<MediaSnapshot> {
    const report = await this.#pc.getStats();
    const entries: unknown[] = [];
    report.forEach((entry: unknown) => entries.push(entry));
    this.#refuseStray(entries);
    return readStats(
      entries,
      this.#slots.map((slot) => slot.mid),
    );
  }

  #refuseStray(entries: unknown[]): void {
    const stray = this.#closed ? null : strayRemote(entries, this.#manifest.relays);
    if (stray === null) return;
    this.close();
    this.events.onStray(new EgressError('egress.stray', stray));
  }

  /** Taken before a restart, to see afterwards that the path answers again. */
  async pathBaseline(): Promise<PathBaseline> {
    const snapshot = await this.snapshot();
    return {
      responses: new Map(snapshot.pairs.map((pair) => [pair.id, pair.responses ?? 0])),
      packets: snapshot.packetsReceived,
      transitions: this.#transitions,
    };
  }

  /** True as soon as the path has answered since the baseline; false after the time is over. */
  async pathAnswers(
    baseline: PathBaseline,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (!this.#closed && !signal.aborted && performance.now() < deadline) {
      const ice = this.#pc.iceConnectionState;
      if (ice === 'connected' || ice === 'completed') {
        if (this.#transitions > baseline.transitions) return true;
        const snapshot = await this.snapshot();
        if (snapshot.packetsReceived > baseline.packets) return true;
        const answered = snapshot.pairs.some(
          (pair) => (pair.responses ?? 0) > (baseline.responses.get(pair.id) ?? 0),
        );
        if (answered) return true;
      }
      await sleep(kPollMs);
    }
    return false;
  }

  /** True once a slot has been decoded for playing. */
  hasDecodedAudio(): boolean {
    return this.#slots.some((slot) => slot.receiver.getSynchronizationSources().length > 0);
  }

  close(): void {
    this.#closed = true;
    this.#pc.onconnectionstatechange = null;
    this.#pc.oniceconnectionstatechange = null;
    for (const output of this.#outputs) output.close();
    this.#pc.close();
  }
}

/** Opus alone: no redundancy, comfort noise or tones that the relay would refuse, and a shorter offer. */
function preferOpus(transceiver: RTCRtpTransceiver): void {
  const codecs = RTCRtpReceiver.getCapabilities('audio')?.codecs ?? [];
  const opus = codecs.filter((codec) => codec.mimeType.toLowerCase() === 'audio/opus');
  if (opus.length > 0) transceiver.setCodecPreferences(opus);
}
