import type { CommandInit } from '../api';
import { toAlcoveError } from '../errors';
import type { ServerMessage } from '../gen/alcove/v1/events_pb';
import { MediaChanged_State } from '../gen/alcove/v1/events_pb';
import type { RoomState } from '../gen/alcove/v1/rooms_pb';
import { emptyKeys } from '../keys/view';
import { mark } from '../measures';
import type { Microphone } from '../media/microphone';
import { OutputDevice } from '../media/output_device';
import { takeTransforms } from '../media/spare_transforms';
import type { TransformHost } from '../media/transform_host';
import type { FrameCounters, FromWorker } from '../media/worker_messages';
import { Writable } from '../observable';
import type { Readable } from '../observable';
import { sleep } from '../timing';
import { CutSlots } from './cut_slots';
import { emptyRoom, isOnStage, reduceBatch } from './reducer';
import type { Reduction, RoomNotice } from './reducer';
import { KeyedRoom } from './keyed_room';
import { OwnVoice } from './own_voice';
import { RoomLink } from './room_link';
import type { LinkStatus, RoomClientOptions } from './link_types';
import { RoomKeysHost } from './room_keys_host';
import { untilSeated } from './seat';
import { takeStarted } from './start_room';
import { isOver } from './view';
import type { RoomView } from './view';

/**
 * One member in one room, for one visit: joins, keeps the state and the sound, and comes back by itself.
 * The host subscribes to `view`, `levels` and notices, and gives commands.
 */
export class RoomClient extends KeyedRoom {
  readonly view: Readable<RoomView>;
  /** Who speaks how loud, by member id; some five times a second. */
  readonly levels: Readable<ReadonlyMap<number, number>>;

  readonly #options: RoomClientOptions;
  readonly #view: Writable<RoomView>;
  readonly #notices = new Set<(notice: RoomNotice) => void>();
  readonly #transforms: TransformHost;
  readonly #link: RoomLink;
  protected readonly keys: RoomKeysHost;
  readonly #output: OutputDevice;
  readonly #cuts = new CutSlots((slot, audible) => {
    this.#link.connection?.setAudible(slot, audible);
  });
  readonly #voice: OwnVoice;
  #resyncing = false;
  #counters: FrameCounters | null = null;
  /** As the server says; what is shown is what the log makes of it. */
  #room: RoomState;
  #status: LinkStatus = 'connecting';
  #welcomed = false;
  #firstWelcome = false;
  #forgotten: Promise<void> = Promise.resolve();

  constructor(options: RoomClientOptions) {
    super();
    this.#options = options;
    this.#transforms = takeStarted(options.roomId) ?? takeTransforms(options.createWorker);
    this.#transforms.listen((message) => {
      this.#fromWorker(message);
    });
    this.#room = emptyRoom(options.roomId);
    this.#view = new Writable<RoomView>({
      phase: 'idle',
      room: this.#room,
      keys: emptyKeys(),
      error: null,
      cause: '',
      diagnosis: null,
      autoplayBlocked: false,
      muted: true,
      hasMicrophone: false,
    });
    this.view = this.#view;
    this.#voice = new OwnVoice(this.#transforms, {
      view: () => this.#view.value,
      patch: (change) => {
        this.#patch(change);
      },
      setTrack: async (track) => {
        await this.#link.connection?.setTrack(track);
      },
      tellMuted: (muted) => this.command({ case: 'setMuted', value: { memberId: 0, muted } }),
    });
    this.#link = this.#makeLink();
    this.keys = new RoomKeysHost(options, this.#transforms.keys, {
      onToServer: (message) => {
        this.#link.sendKeys(message);
      },
      onChange: () => {
        this.#keysChanged();
      },
    });
    this.#output = new OutputDevice((ready) => {
      this.#transforms.setPlayable(ready);
    });
    this.levels = this.#link.watch.levels;
  }

  onNotice(listener: (notice: RoomNotice) => void): () => void {
    this.#notices.add(listener);
    return () => {
      this.#notices.delete(listener);
    };
  }

  /** Frames sent, received and dropped so far, as the worker counted them; null before the first. */
  get counters(): FrameCounters | null {
    return this.#counters;
  }

  /** Before the join, while somebody reads what the room is about: joining is sooner then. Nothing is sent. */
  prepare(): Promise<void> {
    this.#output.open();
    this.keys.prepare();
    return this.#link.prepare();
  }

  /** Once, and best in a gesture. Never throws: what went wrong is in the view. */
  async join(guestName = ''): Promise<void> {
    if (this.#view.value.phase !== 'idle') return;
    mark('join-click');
    this.#output.open();
    this.#patch({ phase: 'joining' });
    try {
      await this.#link.join(guestName);
    } catch (thrown) {
      this.#finish({ phase: 'failed', error: toAlcoveError(thrown) });
    }
  }

  /** In a gesture, after autoplayBlocked. */
  startAudio(): void {
    this.#patch({ autoplayBlocked: false });
    this.#output.open();
    this.#link.connection?.play();
  }

  /** Takes the microphone over (it is closed with the room or with the next one); null gives it back. */
  setMicrophone(microphone: Microphone | null): Promise<void> {
    return this.#voice.setMicrophone(microphone);
  }

  /** Takes effect here at once, before the server knows. Unmuting without a microphone does nothing. */
  setMuted(muted: boolean): Promise<void> {
    return this.#voice.setMuted(muted);
  }

  /**
   * Says yes to an invitation; the microphone, if any, is in use as soon as the inviting moderator's client has
   * given the seat.
   * @throws AlcoveError also where no seat comes: nobody's client was there to give it
   */
  async acceptInvitation(microphone: Microphone | null): Promise<void> {
    try {
      await this.command({ case: 'acceptInvitation', value: {} });
      await untilSeated(this.view);
    } catch (thrown) {
      microphone?.close();
      throw thrown;
    }
    await this.goOnStage(microphone);
  }

  /** For who is on stage already: takes the microphone into use, unmuted. */
  async goOnStage(microphone: Microphone | null): Promise<void> {
    await this.setMicrophone(microphone);
    await this.setMuted(microphone === null);
  }

  /**
   * The room's revision after the command.
   * @throws AlcoveError
   */
  async command(command: CommandInit): Promise<bigint> {
    const { api, roomId } = this.#options;
    const response = await api.command(roomId, this.#link.joinToken, command);
    return response.revision;
  }

  /** True where the member's role allows the command, by its name in `allowed_commands`. */
  may(command: string): boolean {
    return this.#view.value.room.allowedCommands.includes(command);
  }

  /** The audience as the server lists it, a page at a time. Who is really in: roster(). */
  async members(cursor: string) {
    const { api, roomId } = this.#options;
    const page = await api.members(roomId, this.#link.joinToken, cursor);
    this.keys.noteMembers(page.members);
    return page;
  }

  /** This client then gives the seat when the listener accepts. */
  override async inviteToStage(memberId: number): Promise<void> {
    await this.keys.commandFor(memberId, 'allow-stage');
    await this.command({ case: 'inviteToStage', value: { memberId } });
  }

  /**
   * Leaves quietly. The room is left here even where the server cannot be told. Who only stops waiting keeps what
   * coming back needs.
   */
  async leave(): Promise<void> {
    const token = this.#link.joinToken;
    const wasIn = !isOver(this.#view.value.phase) && token !== '';
    // Whose departure is in the log has left: the server knows no such join any more.
    let departed = false;
    if (wasIn && this.#onStage()) {
      this.#voice.applyMuted(true);
      departed = await this.keys.depart();
    }
    this.#finish({ phase: 'left' }, this.#welcomed || this.#view.value.keys.admitted);
    if (!wasIn || departed) return;
    const { api, roomId } = this.#options;
    await api.command(roomId, token, { case: 'leave', value: {} }, true).catch(() => undefined);
  }

  /** Without a word to the server: the room's page goes away. Who was in the room has left it here for good. */
  close(): void {
    this.#finish({ phase: 'left' }, this.#welcomed);
    void this.#forgotten.then(() => {
      this.#transforms.close();
    });
  }

  #makeLink(): RoomLink {
    return new RoomLink(this.#options, this.#transforms, {
      room: () => this.#view.value.room,
      joinKeys: (guestName) => this.keys.joinKeys(guestName),
      promisedKey: () => this.keys.promisedKey(),
      track: () => this.#voice.track,
      ownLevel: () => this.#voice.level(),
      onJoined: () => {
        this.#joined();
      },
      onMessage: (message) => {
        this.#message(message);
      },
      onStatus: (status) => {
        this.#status = status;
        this.#updatePhase();
      },
      onDiagnosis: (diagnosis) => {
        this.#patch({ diagnosis });
      },
      onAutoplayBlocked: () => {
        this.#patch({ autoplayBlocked: true });
      },
      onOver: (why) => {
        if (why === 'ended') this.#over('ended', 'gone');
        else if (typeof why === 'string') this.#over('removed', why);
        else this.#finish({ phase: 'failed', error: why });
      },
    });
  }

  #joined(): void {
    mark('joined');
    this.#voice.joined();
    this.#resyncing = false;
    this.#firstWelcome = true;
    this.#cuts.clear();
  }

  #welcome(room: RoomState): void {
    this.#resyncing = false;
    this.#welcomed = true;
    if (this.#firstWelcome) {
      this.#firstWelcome = false;
      const { self } = room;
      // On stage without a microphone, or coming back muted: the others shall see it. Never the other way
      // round: a moderator may have muted us meanwhile.
      const untold = isOnStage(self) && this.#view.value.muted && self?.muted === false;
      if (untold) this.setMuted(true).catch(() => undefined);
    }
    this.#takeRoom(room);
    this.#updatePhase();
  }

  #keysChanged(): void {
    if (isOver(this.#view.value.phase)) return;
    const { error } = this.keys;
    if (error !== null) this.#finish({ phase: 'failed', error });
    else this.#takeRoom(this.#room);
    this.#updatePhase();
  }

  /** Before the room has let this client in there is nothing to be connected to. */
  #updatePhase(): void {
    const { phase } = this.#view.value;
    if (isOver(phase) || phase === 'idle') return;
    const outside = this.keys.waiting === null ? 'joining' : 'waiting';
    const next = this.#welcomed ? this.#status : outside;
    if (next !== phase) this.#patch({ phase: next });
    this.#voice.updateGate();
  }

  #message({ message }: ServerMessage): void {
    if (message.case === 'welcome') {
      if (message.value.room !== undefined) this.#welcome(message.value.room);
      return;
    }
    if (message.case !== 'batch' || this.#resyncing) return;
    const reduction = reduceBatch(this.#room, message.value);
    if (reduction.outcome === 'gap') {
      this.#resyncing = true;
      this.#link.resync();
    } else if (reduction.outcome === 'applied') {
      this.#applied(reduction);
    }
  }

  #applied(reduction: Reduction): void {
    const wasMuted = this.#view.value.muted;
    this.#takeRoom(reduction.room);
    const mutedNow = !wasMuted && this.#view.value.muted;
    for (const notice of reduction.notices) {
      // Our own mute comes back as an event too.
      if (notice.kind === 'muted' && !mutedNow) continue;
      for (const listener of [...this.#notices]) listener(notice);
    }
    const { ended, removed, media } = reduction;
    if (ended !== undefined) this.#over('ended', ended);
    else if (removed !== undefined && removed !== 'gone') this.#over('removed', removed);
    else if (removed === 'gone' || media === MediaChanged_State.GONE) {
      this.#link.recover();
    }
  }

  #takeRoom(said: RoomState): void {
    this.#room = said;
    const wasOnStage = this.#onStage();
    const { room, keys } = this.keys.verify(said);
    this.#cuts.stageChanged(this.#view.value.room, room);
    this.#patch({ room, keys });
    this.#voice.roomChanged(wasOnStage);
  }

  #fromWorker(message: FromWorker): void {
    switch (message.type) {
      case 'heard':
        this.#link.watch.heard(message.slot, message.seat);
        this.#cuts.heard(message.slot, message.seat, this.#view.value.room);
        break;
      case 'sending':
        this.#voice.sending = message.sending;
        break;
      case 'first-frame':
        mark('first-frame');
        void this.#markFirstAudio();
        break;
      case 'counters':
        this.#counters = message.counters;
        break;
    }
  }

  async #markFirstAudio(): Promise<void> {
    for (let waited = 0; waited < 200; ++waited) {
      const { connection } = this.#link;
      if (connection === null || connection.hasDecodedAudio()) break;
      await sleep(10);
    }
    mark('first-audio');
  }

  #onStage(): boolean {
    return isOnStage(this.#view.value.room.self);
  }

  #over(phase: 'ended' | 'removed', cause: string): void {
    // Replaced by the same identity elsewhere, which goes on with it.
    this.#finish({ phase, cause }, cause !== 'replaced');
  }

  /** `forGood`: nobody comes back into this visit. */
  #finish(last: Partial<RoomView>, forGood = false): void {
    if (isOver(this.#view.value.phase)) return;
    this.#patch({ ...last, muted: true, hasMicrophone: false, autoplayBlocked: false });
    this.#voice.updateGate();
    this.#link.close();
    this.keys.close();
    this.#output.close();
    this.#voice.close();
    if (forGood) this.#forgotten = this.keys.forget();
  }

  #patch(change: Partial<RoomView>): void {
    this.#view.update((view) => ({ ...view, ...change }));
  }
}
