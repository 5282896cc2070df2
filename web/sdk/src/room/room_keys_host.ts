// A room's keys on the main thread: joins with them, and sets what the server says of the room beside what its
// log says.

import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ApiClient } from '../api';
import { AlcoveError } from '../errors';
import { GenesisSchema, SignedObjectSchema } from '../gen/alcove/v1/keys_pb';
import type { Member, RoomState } from '../gen/alcove/v1/rooms_pb';
import { toBase64Url } from '../keys/bytes';
import type { KeysChannel } from '../keys/keys_channel';
import type { IdentityName, KeysCommand, KeysSnapshot } from '../keys/messages';
import { emptyKeys } from '../keys/view';
import type { KeysView, VerifiedMember } from '../keys/view';
import { sleep } from '../timing';
import {
  earlierJoin,
  endVisit,
  forgetLinkFragment,
  keepEarlierJoin,
  keepLinkFragment,
  linkFragment,
  visitId,
} from './link_fragment';
import { MemberNumbers, RoomVerifier } from './verified_room';

/** Leaving does not wait longer for the log. */
const kDepartMs = 1_000;

export interface RoomKeysOptions {
  api: ApiClient;
  roomId: string;
  baseUrl?: string;
}

export interface RoomKeysEvents {
  onToServer(message: Uint8Array<ArrayBuffer>): void;
  /** verify() gives something else now. */
  onChange(): void;
}

export class RoomKeysHost {
  #genesis: Promise<Uint8Array> | null = null;
  #forgotten = false;
  #snapshot: KeysSnapshot | null = null;
  /** The last one of a join that was let in: what holds while a new join waits. */
  #inside: KeysSnapshot | null = null;
  readonly #verifier = new RoomVerifier();
  readonly #numbers = new MemberNumbers();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #guestName = '';

  constructor(
    private readonly options: RoomKeysOptions,
    private readonly channel: KeysChannel,
    private readonly events: RoomKeysEvents,
  ) {
    channel.listen({
      onToServer: (message) => {
        events.onToServer(message);
      },
      onSnapshot: (snapshot) => {
        this.#take(snapshot);
      },
    });
  }

  /** Opens the identity and asks for the genesis, ahead of the join. */
  prepare(): void {
    this.channel.prepare(this.#name());
    this.#loadGenesis().catch(() => undefined);
  }

  /**
   * JoinKeys of a new join.
   * @throws AlcoveError
   */
  async joinKeys(guestName: string): Promise<Uint8Array> {
    if (guestName !== '') this.#guestName = guestName.trim();
    const genesis = await this.#loadGenesis();
    const link = linkFragment(this.options.roomId);
    const { secret, ...earlier } = earlierJoin(this.options.roomId);
    const session = this.options.api.session.load();
    return this.channel.join({
      name: this.#name(),
      displayName: session?.displayName ?? this.#guestName,
      genesis,
      fingerprint: link?.fingerprint ?? null,
      linkSecret: secret ?? link?.secret ?? null,
      ...earlier,
    });
  }

  /**
   * The hash of the manifest's key that the room's genesis promises, and whether a link vouches for the genesis:
   * once joinKeys() has settled, its signature and fingerprint have been checked.
   * @throws AlcoveError
   */
  async promisedKey(): Promise<{ keyHash: Uint8Array; byLink: boolean }> {
    const { body } = fromBinary(SignedObjectSchema, await this.#loadGenesis());
    const { manifestKeyHash: keyHash } = fromBinary(GenesisSchema, body);
    return { keyHash, byLink: linkFragment(this.options.roomId) !== null };
  }

  /** Why the person is not in yet. */
  get waiting(): KeysView['waiting'] {
    return this.#snapshot?.view.waiting ?? null;
  }

  /** The way in ended in a check that failed. */
  get error(): AlcoveError | null {
    if (this.#snapshot === null || this.#snapshot.view.admitted) return null;
    const failed = this.#snapshot.view.warnings.find(
      ({ code }) => code === 'fork' || code === 'failed_check',
    );
    if (failed === undefined) return null;
    return new AlcoveError('failed_precondition', `keys.${failed.code}`, failed.detail);
  }

  /** The room and the keys as they are shown. */
  verify(said: RoomState): { room: RoomState; keys: KeysView } {
    this.#numbers.noteRoom(said);
    const nowMs = performance.now();
    const { room, warnings, againMs } = this.#verifier.verify(said, this.#inside, nowMs);
    clearTimeout(this.#timer);
    if (againMs !== Infinity) {
      this.#timer = setTimeout(() => {
        this.events.onChange();
      }, againMs - nowMs);
    }
    const view = this.#snapshot?.view ?? emptyKeys();
    const keys = {
      ...view,
      stage: this.#numbered(view.stage),
      warnings: [...view.warnings, ...warnings],
    };
    return { room, keys };
  }

  noteMembers(members: readonly Member[]): void {
    this.#numbers.note(members);
  }

  async roster(): Promise<VerifiedMember[]> {
    return this.#numbered(await this.channel.roster());
  }

  exportLog(): Promise<Uint8Array> {
    return this.channel.exportLog();
  }

  shareLink(): string {
    const { baseUrl = '', roomId } = this.options;
    const url = new URL(`/r/${roomId}`, baseUrl === '' ? location.href : baseUrl);
    url.hash = this.#inside?.fragment ?? '';
    return url.href;
  }

  async ownIdentity(): Promise<string> {
    return toBase64Url(await this.channel.identity(this.#name()));
  }

  command(command: KeysCommand): Promise<void> {
    return this.channel.command(command);
  }

  /** @throws AlcoveError where the server has not said which join the number is of */
  async commandFor(
    memberId: number,
    kind: 'eject' | 'to-audience' | 'make-moderator' | 'allow-stage',
  ): Promise<void> {
    const leaf = this.#numbers.leaf(memberId, this.#inside?.view.stage ?? []);
    if (leaf === undefined) {
      throw new AlcoveError('not_found', 'room.member_not_found', 'Nobody with this number');
    }
    await this.channel.command({ kind, leaf });
  }

  /** The own departure from the stage; the person does not wait long for it. True once the log has it. */
  depart(): Promise<boolean> {
    const written = this.channel.command({ kind: 'depart' }).then(
      () => true,
      () => false,
    );
    return Promise.race([written, sleep(kDepartMs).then(() => false)]);
  }

  /** The visit is over, and with it a guest's identity. The worker is needed until this settles. */
  async forget(): Promise<void> {
    const name = this.#name();
    const forgotten = this.channel.forget(name);
    if (name.account === 'guest') endVisit();
    this.#forgotten = true;
    forgetLinkFragment(this.options.roomId);
    await forgotten;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #take(snapshot: KeysSnapshot): void {
    this.#snapshot = snapshot;
    const { view, fragment, linkGeneration } = snapshot;
    if (view.admitted) this.#inside = snapshot;
    if (!this.#forgotten) {
      const { roomId } = this.options;
      // A renewed link is the one that a reload comes in with. A code that nobody compared stays one.
      if (fragment !== '' && view.codeFromLink) keepLinkFragment(roomId, fragment);
      if (view.admitted) keepEarlierJoin(roomId, linkGeneration, fragment);
    }
    this.events.onChange();
  }

  #numbered(members: readonly VerifiedMember[]): VerifiedMember[] {
    return members.map((member) => ({ ...member, memberId: this.#numbers.number(member.leaf) }));
  }

  #name(): IdentityName {
    const session = this.options.api.session.load();
    const account = session === null || session.guest ? 'guest' : session.accountId;
    return { account, visit: account === 'guest' ? visitId() : '' };
  }

  #loadGenesis(): Promise<Uint8Array> {
    this.#genesis ??= this.#askGenesis();
    this.#genesis.catch(() => {
      this.#genesis = null;
    });
    return this.#genesis;
  }

  async #askGenesis(): Promise<Uint8Array> {
    const { genesis } = await this.options.api.room(this.options.roomId);
    if (genesis === undefined) {
      throw new AlcoveError('internal', 'bad_response', 'The room has no genesis');
    }
    return toBinary(SignedObjectSchema, genesis);
  }
}
