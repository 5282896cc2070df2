import { AlcoveError, errorFromResponse, toAlcoveError } from '../errors';
import { EventSocket, eventsUrl } from '../events/event_socket';
import type { Goodbye } from '../gen/alcove/v1/events_pb';
import { EgressError } from '../egress/error';
import type { CheckedAnswer } from '../egress/peer';
import type { VerifiedManifest } from '../manifest/verify';
import { mark } from '../measures';
import { MediaConnection } from '../media/connection';
import type { TransformHost } from '../media/transform_host';
import { withTimeout } from '../timing';
import { AnswerCheck } from './answer_check';
import { isTemporary, restartTimeoutMs } from './attempts';
import { MediaWatch } from './media_watch';
import { watchNetwork } from './network_watch';
import { Recovery } from './recovery';
import type { Attempt } from './recovery';
import type { LinkHost, LinkOptions } from './link_types';

/** Reasons of a goodbye after which only a new join helps. */
const kRejoinReasons = ['join.invalid', 'join.stale', 'join.media_gone'];

/** The event connection may blink; away for longer it counts as reconnecting. */
const kEventsGraceMs = 3_000;
/** The server waits 5 s for the first event connection of a join. */
const kFirstEventsMs = 8_000;
const kProbeTimeoutMs = 500;
const kPathTimeoutMs = 2_500;
const kGoodbyePauseMs = 1_000;
const kPreparedForMs = 60_000;

/**
 * A member's two connections, sound and events, from the join on: keeps them, notices when they are lost,
 * and brings them back by an ICE restart, or by a new join where the server has given up on the old one.
 */
export class RoomLink {
  readonly watch: MediaWatch;
  readonly #recovery: Recovery;
  readonly #answers: AnswerCheck;
  #connection: MediaConnection | null = null;
  #prepared: { connection: MediaConnection; offer: Promise<string>; atMs: number } | null = null;
  #events: EventSocket | null = null;
  #joinToken = '';
  #welcomed = false;
  /** It was in the room before: what comes is a return. */
  #wasIn = false;
  /** Only a new join helps. */
  #mustRejoin = false;
  #probing = false;
  #eventsLost = false;
  #eventsTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #reconnecting = false;
  #unwatch: () => void = () => undefined;

  constructor(
    private readonly options: LinkOptions,
    private readonly transforms: TransformHost,
    private readonly host: LinkHost,
  ) {
    this.#answers = new AnswerCheck(options.manifest, () => host.promisedKey());
    this.watch = new MediaWatch({
      connection: () => this.#connection,
      room: () => host.room(),
      ownLevel: () => host.ownLevel(),
      welcomed: () => this.#welcomed,
      recovering: () => this.#recovery.running,
      onDead: () => {
        this.recover();
      },
      onSuspect: () => {
        void this.#probe(true);
      },
      onDiagnosis: (diagnosis) => {
        host.onDiagnosis(diagnosis);
      },
    });
    this.#recovery = new Recovery({
      attempt: (signal, failed) => this.#attempt(signal, failed),
      onChange: () => {
        this.watch.resetPath();
        if (!this.#recovery.running && this.#events?.closed === true) this.#openEvents();
        this.#report();
      },
    });
  }

  get joinToken(): string {
    return this.#joinToken;
  }

  get connection(): MediaConnection | null {
    return this.#connection;
  }

  /** @throws AlcoveError; nothing is left open then. */
  async join(guestName: string): Promise<void> {
    try {
      await this.#enter(guestName);
    } catch (thrown) {
      this.close();
      throw toAlcoveError(thrown);
    }
    if (this.#closed) return;
    this.#unwatch = watchNetwork({
      onChange: () => {
        this.#networkChanged();
      },
      onOffline: () => {
        this.recover();
      },
      onDoubt: () => {
        void this.#probe(false);
      },
    });
  }

  recover(): void {
    if (!this.#closed) this.#recovery.begin();
  }

  /** A KeysFromClient for the control plane. Lost while there is no connection: the log catches up after it. */
  sendKeys(message: Uint8Array): void {
    this.#events?.sendKeys(message);
  }

  resync(): void {
    this.#events?.resync();
  }

  close(): void {
    this.#closed = true;
    this.#unwatch();
    clearTimeout(this.#eventsTimer);
    this.watch.stop();
    this.#recovery.stop();
    this.#events?.close();
    this.#events = null;
    this.#prepared?.connection.close();
    this.#prepared = null;
    this.#connection?.close();
    this.#connection = null;
  }

  /** Makes the connection and its offer ahead of the join, which is sooner then. Nothing is sent. */
  async prepare(): Promise<void> {
    if (this.#isBusy()) return;
    const manifest = await this.options.manifest.verified().catch(() => null);
    if (manifest === null || this.#isBusy()) return;
    const connection = this.#makeConnection(manifest);
    const prepared = { connection, offer: connection.createOffer(), atMs: performance.now() };
    this.#prepared = prepared;
    await prepared.offer.catch(() => undefined);
  }

  #isBusy(): boolean {
    return this.#closed || this.#connection !== null || this.#prepared !== null;
  }

  /** What was prepared, unless the network may have changed since, and what goes with it. */
  #takePrepared(): { connection: MediaConnection; offer: Promise<string> } | null {
    const prepared = this.#prepared;
    this.#prepared = null;
    if (prepared === null || performance.now() - prepared.atMs < kPreparedForMs) return prepared;
    prepared.connection.close();
    return null;
  }

  #makeConnection(manifest: VerifiedManifest): MediaConnection {
    const { config, sink } = this.options;
    const connection = new MediaConnection(manifest, this.transforms, sink, config.slots, {
      onState: (state) => {
        if (connection === this.#connection) this.#mediaState(state);
      },
      onAutoplayBlocked: () => {
        if (connection === this.#connection) this.host.onAutoplayBlocked();
      },
      onStray: (error) => {
        if (connection === this.#connection) this.host.onOver(error);
      },
    });
    return connection;
  }

  async #enter(guestName: string): Promise<void> {
    const { api, manifest, roomId } = this.options;
    const asked = this.host.joinKeys(guestName);
    asked.catch(() => undefined);
    const verified = await manifest.verified();
    if (this.#closed) return;
    const prepared = this.#takePrepared();
    const connection = prepared?.connection ?? this.#makeConnection(verified);
    this.#connection?.close();
    this.#connection = connection;
    const [offer, keys] = await Promise.all([prepared?.offer ?? connection.createOffer(), asked]);
    await this.#answers.begin();
    if (this.#closed) return;
    const response = await api.join(roomId, offer, guestName, keys);
    const answer = await this.#check(connection, response.sdpAnswer);
    if (this.#closed) return;
    this.#mustRejoin = false;
    this.#joinToken = response.joinToken;
    this.#welcomed = false;
    this.watch.start();
    this.#openEvents();
    const answered = connection.acceptAnswer(answer);
    this.host.onJoined();
    this.#report();
    await answered;
    const track = this.host.track();
    if (track !== null) await connection.setTrack(track);
  }

  #openEvents(): void {
    this.#events?.close();
    this.#eventsLost = false;
    const events = new EventSocket({
      url: eventsUrl(this.options.baseUrl ?? '', location.href),
      joinToken: this.#joinToken,
      onMessage: (message) => {
        if (events !== this.#events) return;
        if (message.message.case === 'welcome') this.#welcomed = this.#wasIn = true;
        this.host.onMessage(message);
      },
      onKeys: (message) => {
        if (events === this.#events) this.transforms.keys.fromServer(message);
      },
      onHello: () => {
        if (events === this.#events) this.transforms.keys.connected();
      },
      onLost: () => {
        if (events === this.#events) this.transforms.keys.disconnected();
      },
      onLive: (live) => {
        if (events === this.#events) this.#eventsLive(live);
      },
      onGoodbye: (goodbye) => {
        if (events === this.#events) this.#goodbye(goodbye);
      },
    });
    this.#events = events;
    if (this.#wasIn) return;
    // A page is not told why a WebSocket does not open: a redirect, which is never followed, or a proxy in between.
    this.#eventsTimer = setTimeout(() => {
      if (events !== this.#events || events.everOpened) return;
      this.host.onOver(new AlcoveError('unavailable', 'events.unreachable', 'No event connection'));
    }, kFirstEventsMs);
  }

  #eventsLive(live: boolean): void {
    clearTimeout(this.#eventsTimer);
    if (live) {
      this.#eventsLost = false;
      this.#report();
      return;
    }
    this.#eventsTimer = setTimeout(() => {
      this.#eventsLost = true;
      this.#report();
    }, kEventsGraceMs);
    // A hint that the path of the sound is lost too, unless sound arrives this moment. Clients of a
    // proxy that restarts should not all ask at once.
    setTimeout(() => {
      if (this.#events?.live === false && !this.watch.fresh) this.recover();
    }, 200 * Math.random());
  }

  #goodbye({ reason }: Goodbye): void {
    if (this.#closed) return;
    if (reason?.reason.includes('replaced')) {
      this.host.onOver('replaced');
      return;
    }
    // Refused by those inside, or by the room: it does not help to ask again.
    if (reason !== undefined && !this.#welcomed && reason.reason.startsWith('room.')) {
      const error = errorFromResponse(reason, 0);
      this.host.onOver(error.reason === 'room.ended' ? 'ended' : error);
      return;
    }
    const { reason: why = '' } = reason ?? {};
    this.#mustRejoin ||= kRejoinReasons.includes(why);
    // Too slow, or the server restarts, or it does not know the join: the restart finds out.
    this.#eventsLive(false);
    setTimeout(() => {
      this.recover();
    }, kGoodbyePauseMs);
  }

  #mediaState(state: RTCPeerConnectionState): void {
    if (state === 'connected') mark('connected');
    if (state === 'disconnected' || state === 'failed') this.recover();
    this.#report();
  }

  #report(): void {
    if (this.#closed || this.#joinToken === '') return;
    const connected = this.#connection?.state === 'connected';
    if (this.#recovery.running || this.#eventsLost || (this.#wasIn && !this.#welcomed)) {
      if (!this.#reconnecting) mark('reconnecting');
      this.#reconnecting = true;
      this.host.onStatus('reconnecting');
      return;
    }
    if (connected && this.#reconnecting) {
      mark('reconnected');
      this.#reconnecting = false;
    }
    this.host.onStatus(connected ? 'connected' : 'connecting');
  }

  /** Asks by the event connection whether the network is there at all. */
  async #probe(flowStopped: boolean): Promise<void> {
    if (this.#probing || this.#events === null) return;
    this.#probing = true;
    const wasLive = this.#events.live;
    const answered = await this.#events.ping(kProbeTimeoutMs);
    this.#probing = false;
    // Without an event connection there is nothing to ask, and a doubt alone is no reason.
    if (!answered && (wasLive || flowStopped)) this.#networkChanged();
  }

  #networkChanged(): void {
    if (this.#closed) return;
    this.#recovery.beginAnew();
    this.#events?.restart();
  }

  async #attempt(signal: AbortSignal, failed: number): Promise<Attempt> {
    const connection = this.#connection;
    if (connection === null) return 'over';
    try {
      if (this.#mustRejoin) return await this.#rejoin();
      const { dtlsState } = await connection.snapshot();
      if (dtlsState === 'failed' || dtlsState === 'closed') return await this.#rejoin();
      const baseline = await connection.pathBaseline();
      await connection.restart(async (offer) => {
        const answer = await this.#askRestart(offer, restartTimeoutMs(failed), signal);
        return this.#check(connection, answer, signal);
      });
      const answers = await connection.pathAnswers(baseline, kPathTimeoutMs, signal);
      return answers ? 'recovered' : 'retry';
    } catch (thrown) {
      if (this.#closed) return 'over';
      if (thrown instanceof EgressError) {
        this.host.onOver(thrown);
        return 'over';
      }
      return isTemporary(toAlcoveError(thrown)) ? 'retry' : this.#rejoin();
    }
  }

  async #askRestart(offer: string, timeoutMs: number, signal: AbortSignal): Promise<string> {
    const { api, roomId } = this.options;
    const answer = await withTimeout(
      (ended) => api.restart(roomId, this.#joinToken, offer, ended),
      timeoutMs,
      signal,
    );
    return answer.sdpAnswer;
  }

  /** @throws EgressError, AlcoveError */
  async #check(
    connection: MediaConnection,
    answer: string,
    signal = new AbortController().signal,
  ): Promise<CheckedAnswer> {
    const { sdp, manifest } = await this.#answers.check(answer, signal);
    connection.useManifest(manifest);
    return sdp;
  }

  /** A new join, as the same member where the server still knows it. */
  async #rejoin(): Promise<Attempt> {
    try {
      await this.#enter('');
      return 'recovered';
    } catch (thrown) {
      const error = toAlcoveError(thrown);
      if (this.#closed) return 'over';
      if (isTemporary(error)) return 'retry';
      if (error.code === 'not_found') this.host.onOver('ended');
      else if (error.reason === 'room.blocked') this.host.onOver('removed');
      else this.host.onOver(error);
      return 'over';
    }
  }
}
