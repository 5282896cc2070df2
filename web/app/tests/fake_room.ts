import { create } from '@bufbuild/protobuf';
import { EventBatchSchema } from '../../sdk/src/gen/alcove/v1/events_pb';
import type { RoomEvent } from '../../sdk/src/gen/alcove/v1/events_pb';
import { RoomStateSchema } from '../../sdk/src/gen/alcove/v1/rooms_pb';
import type { Role } from '../../sdk/src/gen/alcove/v1/common_pb';
import { Writable } from '../../sdk/src/index';
import type {
  KeysView,
  Microphone,
  RoomClient,
  RoomNotice,
  RoomView,
  VerifiedMember,
} from '../../sdk/src/index';
import { emptyKeys } from '../../sdk/src/keys/view';
import { emptyRoom, reduceBatch } from '../../sdk/src/room/reducer';
import { keysAs, roomAs, rosterAs } from './scenes';

/** What the next join finds; put into the page before the app. */
export interface Scene {
  role: Role;
  /** Not let in yet: stays there until the test goes on. */
  waiting?: KeysView['waiting'];
}

declare global {
  interface Window {
    __scene?: Scene;
    __room?: FakeRoomClient;
  }
}

/** The room client's face, and the test's hand on what it shows. */
export class FakeRoomClient implements Pick<RoomClient, keyof RoomClient> {
  readonly counters = null;
  readonly view = new Writable<RoomView>({
    phase: 'idle',
    room: emptyRoom('dusk'),
    keys: emptyKeys(),
    error: null,
    cause: '',
    diagnosis: null,
    autoplayBlocked: false,
    muted: true,
    hasMicrophone: false,
  });
  readonly levels = new Writable<ReadonlyMap<number, number>>(new Map());
  /** What was asked of the room, in order. */
  readonly calls: string[] = [];
  roster: () => Promise<VerifiedMember[]> = () => Promise.resolve(rosterAs(this.#scene.role));
  readonly #scene: Scene;
  readonly #notices = new Set<(notice: RoomNotice) => void>();

  constructor() {
    this.#scene = window.__scene ?? { role: 1 };
    window.__room = this;
  }

  patch(change: Partial<RoomView>): void {
    this.view.update((view) => ({ ...view, ...change }));
  }

  keys(change: Partial<KeysView>): void {
    this.view.update((view) => ({ ...view, keys: { ...view.keys, ...change } }));
  }

  /** The server's events, one batch. */
  batch(events: RoomEvent[]): void {
    const { room } = this.view.value;
    const revision = room.revision + 1n;
    const reduced = reduceBatch(room, create(EventBatchSchema, { revision, events }));
    this.patch({ room: reduced.room });
    for (const notice of reduced.notices) {
      for (const listener of this.#notices) listener(notice);
    }
    if (reduced.ended !== undefined) this.patch({ phase: 'ended', cause: reduced.ended });
    if (reduced.removed !== undefined) this.patch({ phase: 'removed', cause: reduced.removed });
  }

  /** Let in. */
  admit(): void {
    const { role } = this.#scene;
    this.patch({
      phase: 'connected',
      room: create(RoomStateSchema, roomAs(role)),
      keys: keysAs(role),
    });
    this.levels.set(new Map([[2, 0.55]]));
  }

  join(): Promise<void> {
    const { waiting } = this.#scene;
    if (waiting === undefined) this.admit();
    else this.patch({ phase: 'waiting', keys: { ...emptyKeys(), waiting } });
    return Promise.resolve();
  }

  setMicrophone(microphone: Microphone | null): Promise<void> {
    this.patch({ hasMicrophone: microphone !== null });
    return Promise.resolve();
  }

  setMuted(muted: boolean): Promise<void> {
    this.patch({ muted });
    return Promise.resolve();
  }

  async goOnStage(microphone: Microphone | null): Promise<void> {
    await this.setMicrophone(microphone);
    await this.setMuted(microphone === null);
  }

  acceptInvitation(microphone: Microphone | null): Promise<void> {
    return this.goOnStage(microphone);
  }

  onNotice(listener: (notice: RoomNotice) => void): () => void {
    this.#notices.add(listener);
    return () => this.#notices.delete(listener);
  }

  leave(): Promise<void> {
    this.patch({ phase: 'left' });
    return Promise.resolve();
  }

  command({ case: name }: { case?: string | undefined }): Promise<bigint> {
    this.calls.push(name ?? '');
    return Promise.resolve(0n);
  }

  shareLink(): string {
    return `${location.origin}/r/dusk#fingerprint.secret`;
  }

  exportLog(): Promise<Uint8Array> {
    return Promise.resolve(new TextEncoder().encode('a log'));
  }

  may(command: string): boolean {
    return this.view.value.room.allowedCommands.includes(command);
  }

  members(): never {
    throw new Error('no scene has that many people');
  }

  prepare = () => Promise.resolve();
  startAudio = () => undefined;
  close = () => undefined;
  renewLink = () => this.#called('renewLink');
  eject = (memberId: number) => this.#called(`eject ${String(memberId)}`);
  moveToAudience = (memberId: number) => this.#called(`moveToAudience ${String(memberId)}`);
  stepDown = () => this.#called('stepDown');
  makeModerator = (memberId: number) => this.#called(`makeModerator ${String(memberId)}`);
  setLocked = (locked: boolean) => this.#called(`setLocked ${String(locked)}`);
  inviteToStage = (memberId: number) => this.#called(`inviteToStage ${String(memberId)}`);

  #called(what: string): Promise<void> {
    this.calls.push(what);
    return Promise.resolve();
  }
}
