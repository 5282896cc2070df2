// The worker's side of room keys: runs a member's state machine on real time, with the identity of this
// device, and tells the main thread what to send and what to show.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  GenesisSchema,
  JoinKeysSchema,
  KeysFromClientSchema,
  KeysFromServerSchema,
  LogExportSchema,
  SignedObjectSchema,
} from '../gen/alcove/v1/keys_pb';
import { equal, fromBase64Url } from './bytes';
import type { Want } from './commands';
import { ed25519PublicKey, ed25519Sign, ed25519Verify, kKeySize } from './crypto';
import type { RandomSource } from './crypto';
import { MemoryKeyDatabase } from './database';
import type { KeyDatabase } from './database';
import type { KeyedFrames, OpenResult } from './frames';
import { IdentityStore } from './identity_store';
import type { Identity } from './identity_store';
import { KnownDevices } from './known_devices';
import { kLinkSecretSize, linkFragmentText } from './link';
import type {
  GenesisInit,
  IdentityName,
  JoinInit,
  KeysAnswer,
  KeysCommand,
  KeysFromWorker,
  KeysToWorker,
} from './messages';
import { makeGenesis, parseGenesis } from './objects';
import { makeOwnLeaf } from './own_leaf';
import { RoomKeys } from './room_keys';
import type { KeyEvent } from './shared';
import { takeSnapshot, verifiedRoster, waitingOf } from './snapshot';
import type { JoinState } from './snapshot';

export interface KeysWorkerOptions {
  post(message: KeysFromWorker): void;
  /** Epochs or seats may have changed: frames that were held may open now. */
  onKeys(): void;
  /** Null where the browser has no such place, or no Ed25519. */
  database: KeyDatabase | null;
  subtle: SubtleCrypto | null;
}

/** The work that is done ahead takes this much of each slice, so that frames are not late. */
const kSliceMs = 4;
const kSliceEveryMs = 30;
const kRoomIdSize = 16;

const random: RandomSource = (length) => crypto.getRandomValues(new Uint8Array(length));

export class KeysWorker {
  readonly #identities: IdentityStore;
  readonly #devices: KnownDevices;
  #join: (JoinState & { identity: Identity }) | null = null;
  #joins = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #slices: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly options: KeysWorkerOptions) {
    const { database, subtle } = options;
    this.#identities = new IdentityStore(database, subtle, makeMemoryIdentity);
    this.#devices = new KnownDevices(database ?? new MemoryKeyDatabase(), () => {
      this.#show();
    });
    this.#identities.removeOldGuests(Date.now()).catch(() => undefined);
  }

  /** Null before the join. */
  get frames(): KeyedFrames | null {
    return this.#join?.keys.frames ?? null;
  }

  maySend(nowMs: number): boolean {
    return this.#join?.keys.maySend(nowMs) ?? false;
  }

  noteFrame(nowMs: number, result: OpenResult): void {
    this.#join?.keys.noteFrame(nowMs, result);
    // Those that opened change nothing, and there are many.
    if (result.kind !== 'opened') this.#pump();
  }

  handle(message: KeysToWorker): void {
    switch (message.type) {
      case 'keys-prepare':
        void this.#identities.identity(message.name);
        break;
      case 'keys-genesis':
        void this.#answer(message.request, this.#genesis(message.name, message.init));
        break;
      case 'keys-join':
        void this.#answer(message.request, this.#newJoin(message.init));
        break;
      case 'keys-verify': {
        const { key, message: signed, signature } = message.init;
        const holds = ed25519Verify(key, signed, signature);
        this.#reply(message.request, holds ? { kind: 'done' } : failed('bad_signature'));
        break;
      }
      case 'keys-connected':
        this.#join?.keys.handleConnected(performance.now());
        this.#pump();
        break;
      case 'keys-disconnected':
        this.#join?.keys.handleDisconnected();
        break;
      case 'keys-from-server':
        this.#fromServer(message.message);
        break;
      case 'keys-command':
        this.#command(message.request, message.command);
        break;
      case 'keys-identity':
        void this.#answer(message.request, this.#identity(message.name));
        break;
      case 'keys-forget':
        void this.#answer(message.request, this.#forget(message.name));
        break;
    }
  }

  async #genesis(name: IdentityName, init: GenesisInit): Promise<KeysAnswer> {
    const identity = await this.#identities.identity(name);
    const body = create(GenesisSchema, {
      version: 1,
      roomId: random(kRoomIdSize),
      host: identity.publicKey,
      kind: init.kind,
      packetBucket: init.packetBucket,
      manifestKeyHash: init.manifestKeyHash,
      createdAtMs: BigInt(init.createdAtMs),
    });
    const { object, fingerprint } = await makeGenesis(body, (message) => identity.sign(message));
    const fragment = linkFragmentText({ fingerprint, secret: random(kLinkSecretSize) });
    return { kind: 'bytes', bytes: owned(toBinary(SignedObjectSchema, object)), fragment };
  }

  async #newJoin(init: JoinInit): Promise<KeysAnswer> {
    const number = ++this.#joins;
    const genesis = parseGenesis(fromBinary(SignedObjectSchema, init.genesis));
    if (typeof genesis === 'string') return failed('bad_genesis');
    const { fingerprint } = init;
    if (fingerprint !== null && !equal(fingerprint, genesis.fingerprint)) {
      return failed('wrong_room');
    }
    const identity = await this.#identities.identity(init.name);
    const { account } = init.name;
    const own = await makeOwnLeaf(genesis, identity, account, init.displayName, random);
    if (number !== this.#joins) return failed('superseded');
    const { linkSecret, linkGeneration, wasInside } = init;
    const earlier = { linkGeneration, wasInside };
    const keys = new RoomKeys({ genesis, own, linkSecret, random, ...earlier });
    this.#join = { keys, identity, codeFromLink: fingerprint !== null, waiting: null };
    this.#pump();
    this.#show();
    return answerBytes(toBinary(JoinKeysSchema, keys.joinKeys()));
  }

  async #identity(name: IdentityName): Promise<KeysAnswer> {
    const { publicKey } = await this.#identities.identity(name);
    return answerBytes(publicKey);
  }

  async #forget(name: IdentityName): Promise<KeysAnswer> {
    await this.#identities.forget(name);
    return { kind: 'done' };
  }

  #fromServer(bytes: Uint8Array): void {
    const { keys } = this.#join ?? {};
    if (keys === undefined) return;
    let message;
    try {
      message = fromBinary(KeysFromServerSchema, bytes);
    } catch {
      return;
    }
    keys.handleMessage(performance.now(), Date.now(), message);
    this.#pump();
    this.options.onKeys();
  }

  #command(request: number, command: KeysCommand): void {
    const { keys } = this.#join ?? {};
    if (keys === undefined) {
      this.#reply(request, failed('not_possible'));
      return;
    }
    const nowMs = performance.now();
    const want = wantOf(command);
    if (want !== null) {
      // A listener has nothing to write: the control plane has its departure written.
      if (want.kind === 'depart' && keys.seat === 0) this.#reply(request, { kind: 'done' });
      else keys.command(nowMs, Date.now(), request, want);
    } else if (command.kind === 'roster') {
      keys.requestRoster(nowMs, request);
    } else if (command.kind === 'export') {
      const log = keys.exportLog();
      const answer = log === null ? null : answerBytes(toBinary(LogExportSchema, log));
      this.#reply(request, answer ?? failed('not_possible'));
    } else {
      const leaf = command.kind === 'allow-stage' ? fromBase64Url(command.leaf) : null;
      if (leaf !== null) keys.allowStage(leaf);
      this.#reply(request, leaf === null ? failed('not_permitted') : { kind: 'done' });
    }
    this.#pump();
  }

  /** Hands on what the keys have to say, and comes back when they want to. */
  #pump(): void {
    const join = this.#join;
    clearTimeout(this.#timer);
    if (join === null) return;
    const { keys } = join;
    keys.handleTimeout(performance.now(), Date.now());
    for (const message of keys.takeMessages()) {
      const bytes = owned(toBinary(KeysFromClientSchema, message));
      this.options.post({ type: 'keys-to-server', message: bytes });
    }
    const events = keys.takeEvents();
    for (const event of events) this.#event(join, event);
    if (events.some(({ kind }) => kind !== 'answer' && kind !== 'roster')) this.#show();
    const { deadlineMs } = keys;
    if (deadlineMs !== Infinity) {
      const delayMs = Math.max(1, Math.ceil(deadlineMs - performance.now()));
      this.#timer = setTimeout(() => {
        this.#pump();
        this.options.onKeys();
      }, delayMs);
    }
    this.#prepareBoxes(keys);
  }

  #event(join: JoinState & { identity: Identity }, event: KeyEvent): void {
    switch (event.kind) {
      case 'waiting':
        join.waiting = waitingOf(event.reason);
        break;
      case 'answer': {
        const { id, result } = event;
        this.#reply(id, result === 'done' ? { kind: 'done' } : failed(result));
        break;
      }
      case 'roster':
        this.#reply(
          event.id,
          event.certificates === null
            ? failed('not_possible')
            : {
                kind: 'roster',
                members: verifiedRoster(join.keys, event.certificates, this.#devices),
              },
        );
        break;
      case 'sign':
        void this.#sign(join, event.message);
        break;
      case 'admitted':
      case 'changed':
      case 'out':
        break;
    }
  }

  async #sign(join: JoinState & { identity: Identity }, message: Uint8Array): Promise<void> {
    const signature = await join.identity.sign(message);
    if (join !== this.#join) return;
    join.keys.handleSigned(performance.now(), signature);
    this.#pump();
  }

  #prepareBoxes(keys: RoomKeys): void {
    if (keys.boxesPrepared) return;
    this.#slices ??= setInterval(() => {
      const endMs = performance.now() + kSliceMs;
      while (this.#join?.keys.prepareBox() === true && performance.now() < endMs);
      if (this.#join?.keys.boxesPrepared === false) return;
      clearInterval(this.#slices);
      this.#slices = undefined;
    }, kSliceEveryMs);
  }

  #show(): void {
    if (this.#join === null) return;
    const snapshot = takeSnapshot(this.#join, this.#devices, performance.now());
    this.options.post({ type: 'keys-view', snapshot });
  }

  async #answer(request: number, answer: Promise<KeysAnswer>): Promise<void> {
    this.#reply(request, await answer.catch(() => failed('not_possible')));
  }

  #reply(request: number, answer: KeysAnswer): void {
    this.options.post({ type: 'keys-answer', request, answer });
  }
}

function wantOf(command: KeysCommand): Want | null {
  switch (command.kind) {
    case 'eject':
    case 'to-audience':
    case 'make-moderator': {
      const leaf = fromBase64Url(command.leaf);
      return leaf === null ? null : { kind: command.kind, leaf };
    }
    case 'step-down':
    case 'renew-link':
    case 'depart':
      return { kind: command.kind };
    case 'lock':
      return { kind: 'lock', locked: command.locked };
    case 'invite': {
      const identities = command.identities.map(fromBase64Url).filter((key) => key !== null);
      const all = identities.length === command.identities.length;
      return all ? { kind: 'invite', identities } : null;
    }
    case 'allow-stage':
    case 'roster':
    case 'export':
      return null;
  }
}

function makeMemoryIdentity(): Identity {
  const seed = random(kKeySize);
  return {
    publicKey: ed25519PublicKey(seed),
    sign: (message) => Promise.resolve(ed25519Sign(seed, message)),
  };
}

function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.slice() as Uint8Array<ArrayBuffer>;
}

function answerBytes(bytes: Uint8Array): KeysAnswer {
  return { kind: 'bytes', bytes: owned(bytes), fragment: '' };
}

function failed(reason: string): KeysAnswer {
  return { kind: 'failed', reason };
}
