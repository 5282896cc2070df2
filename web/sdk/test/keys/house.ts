// A house of pretence for tests: orders and delivers a room's entries among members on virtual time, as the
// control plane does, and misbehaves where a test tells it to.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { RoomKind } from '../../src/gen/alcove/v1/common_pb';
import {
  GenesisSchema,
  KeysFromClientSchema,
  KeysFromServerSchema,
  Waiting_Reason,
} from '../../src/gen/alcove/v1/keys_pb';
import type {
  AppendEntry,
  KeysFromClient,
  KeysFromServer,
  SignedObject,
} from '../../src/gen/alcove/v1/keys_pb';
import { equal, toHex } from '../../src/keys/bytes';
import { ed25519PublicKey, ed25519Sign, sha256 } from '../../src/keys/crypto';
import type { RandomSource } from '../../src/keys/crypto';
import { kFreshBoxSize } from '../../src/keys/epochs';
import { LogState } from '../../src/keys/log_state';
import { isAuthority, isShort } from '../../src/keys/log_types';
import { hasAdvance, makeGenesis, parseEntry } from '../../src/keys/objects';
import type { Entry, Genesis } from '../../src/keys/objects';
import { makeOwnLeaf } from '../../src/keys/own_leaf';
import { kNoEarlierJoin, RoomKeys } from '../../src/keys/room_keys';
import type { EarlierJoin } from '../../src/keys/room_keys';
import type { KeyEvent } from '../../src/keys/shared';

const kLatencyMs = 20;
const kStepMs = 10;
const kWallMs = 1_700_000_000_000;

export interface Identity {
  seed: Uint8Array;
  publicKey: Uint8Array;
  name: string;
  account: string;
}

interface Stored {
  entry: Entry;
  short: boolean;
  authority: boolean;
  /** By leaf. */
  boxes: Map<string, Uint8Array>;
}

type Message = NonNullable<KeysFromServer['message']['case']>;

export class Person {
  readonly events: KeyEvent[] = [];
  connected = true;
  /** The control plane has let it in. */
  inside = false;
  candidate = 0;
  /** How far its clock runs ahead. */
  aheadMs = 0;
  /** Messages that come to nothing. */
  deaf = false;

  constructor(
    readonly keys: RoomKeys,
    readonly identity: Identity,
  ) {}

  get leaf(): Uint8Array {
    return this.keys.own.certificate.leafHash;
  }
  get name(): string {
    return this.identity.name;
  }
  warned(code: string): boolean {
    return this.keys.warnings.some((warning) => warning.code === code);
  }
  answers(): string[] {
    return this.events.flatMap((event) => (event.kind === 'answer' ? [event.result] : []));
  }
}

export class House {
  readonly log: LogState;
  readonly entries: Stored[] = [];
  readonly people: Person[] = [];
  readonly refusals: { name: string; reason: number }[] = [];
  nowMs = 0;
  /** What the house does to what it delivers; undefined: nothing is delivered. */
  tamper: (person: Person, message: KeysFromServer) => KeysFromServer | undefined = (_, message) =>
    message;
  /** What it does to what it gets. */
  intake: (person: Person, message: KeysFromClient) => KeysFromClient | undefined = (_, message) =>
    message;
  readonly #queue: { atMs: number; run: () => void }[] = [];
  #candidates = 0;
  #lastMs = 0;

  private constructor(
    readonly genesis: Genesis,
    readonly linkSecret: Uint8Array,
    readonly random: RandomSource,
  ) {
    this.log = new LogState(genesis);
  }

  static async make(host: Identity, kind = RoomKind.OPEN, seed = 1): Promise<House> {
    let counter = seed * 1_000_000;
    const random: RandomSource = (length) => {
      const parts = [];
      for (let size = 0; size < length; size += 32) parts.push(...sha256(of(++counter)));
      return Uint8Array.from(parts).slice(0, length);
    };
    const body = create(GenesisSchema, {
      version: 1,
      roomId: random(16),
      host: host.publicKey,
      kind,
      packetBucket: 160,
      createdAtMs: BigInt(kWallMs),
    });
    const genesis = await makeGenesis(body, (message) => ed25519Sign(host.seed, message));
    return new House(genesis, random(16), random);
  }

  get wallMs(): number {
    return kWallMs + this.nowMs;
  }

  /** Asks to be let in; `link`: came with the link, or with another one. */
  async join(
    identity: Identity,
    link: boolean | Uint8Array = true,
    earlier: EarlierJoin = kNoEarlierJoin,
  ): Promise<Person> {
    const sign = (message: Uint8Array) => Promise.resolve(ed25519Sign(identity.seed, message));
    const { publicKey, account, name } = identity;
    const own = await makeOwnLeaf(this.genesis, { publicKey, sign }, account, name, this.random);
    const given = link === true ? this.linkSecret : null;
    const linkSecret = typeof link === 'boolean' ? given : link;
    const { genesis, random } = this;
    const keys = new RoomKeys({ ...{ genesis, own, linkSecret, random }, ...earlier });
    const person = new Person(keys, identity);
    person.candidate = ++this.#candidates;
    this.people.push(person);
    this.ask(person);
    return person;
  }

  /** Joins and waits until the person is in. */
  async enter(
    identity: Identity,
    link: boolean | Uint8Array = true,
    earlier: EarlierJoin = kNoEarlierJoin,
  ): Promise<Person> {
    const person = await this.join(identity, link, earlier);
    this.until(() => person.keys.admitted);
    return person;
  }

  onStage(): Person[] {
    return [...this.log.stage.values()]
      .map(({ certificate }) => this.find(certificate.leafHash))
      .filter((person) => person !== undefined);
  }

  find(leaf: Uint8Array): Person | undefined {
    return this.people.find((person) => equal(person.leaf, leaf));
  }

  /** The next thing for who waits. */
  ask(person: Person): void {
    const keepers = this.onStage().filter((other) => other.connected && other.inside);
    if (keepers.length === 0) {
      const may = this.log.hasAuthority(person.identity.publicKey);
      const reason = may ? Waiting_Reason.RESUME : Waiting_Reason.NOBODY;
      this.send(person, 'waiting', { reason });
      if (!may) return;
      this.send(person, 'resume', this.chain());
      this.sendRoster(person);
      return;
    }
    this.send(person, 'waiting', { reason: Waiting_Reason.ASKED });
    const candidate = { candidate: person.candidate, keys: person.keys.joinKeys(), known: false };
    const [keeper] = keepers;
    if (keeper) this.send(keeper, 'task', { task: { case: 'admit', value: candidate } });
  }

  task(person: Person, kind: string, leaf: Uint8Array): void {
    this.send(person, 'task', { task: { case: kind, value: { leaf } } });
  }

  send(person: Person, kind: Message, value: object): void {
    const made = create(KeysFromServerSchema, { message: { case: kind, value } as never });
    const message = this.tamper(person, made);
    if (message === undefined) return;
    const bytes = toBinary(KeysFromServerSchema, message);
    this.later(() => {
      if (!person.connected || person.deaf) return;
      const received = fromBinary(KeysFromServerSchema, bytes);
      person.keys.handleMessage(this.nowMs, this.wallMs + person.aheadMs, received);
    });
  }

  disconnect(person: Person): void {
    person.connected = false;
    person.keys.handleDisconnected();
  }

  reconnect(person: Person): void {
    person.connected = true;
    person.keys.handleConnected(this.nowMs);
  }

  chain() {
    const advance = this.entries.findLast(({ entry }) => hasAdvance(entry))?.entry.object;
    const head = this.entries.findLast(({ short }) => short)?.entry.object;
    return {
      genesis: this.genesis.object,
      authority: this.entries.filter(({ authority }) => authority).map(({ entry }) => entry.object),
      ...(advance && head ? { advance, head } : {}),
    };
  }

  /** Not null: where the later parts of rosters wait. */
  heldParts: (() => void)[] | null = null;

  sendRoster(person: Person): void {
    const certificates = this.log.roster().map(({ object }) => object);
    const head = this.entries.at(-1)?.entry.object;
    for (let first = 0; first === 0 || first < certificates.length; first += 2) {
      const last = first + 2 >= certificates.length;
      const part = {
        ...{
          first,
          total: certificates.length,
          certificates: certificates.slice(first, first + 2),
        },
        ...(last && head ? { head } : {}),
      };
      const give = () => {
        this.send(person, 'roster', part);
      };
      if (this.heldParts !== null && first > 0) this.heldParts.push(give);
      else give();
    }
  }

  run(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) this.step();
  }

  until(done: () => boolean, withinMs = 5_000): void {
    const endMs = this.nowMs + withinMs;
    while (!done() && this.nowMs < endMs) this.step();
    if (!done()) throw new Error(`not within ${String(withinMs)} ms`);
  }

  step(): void {
    this.nowMs += kStepMs;
    while (this.#queue[0] !== undefined && this.#queue[0].atMs <= this.nowMs) {
      this.#queue.shift()?.run();
    }
    for (const person of this.people) {
      if (person.keys.deadlineMs <= this.nowMs) {
        person.keys.handleTimeout(this.nowMs, this.wallMs + person.aheadMs);
      }
      this.#collect(person);
    }
  }

  later(run: () => void): void {
    this.#lastMs = Math.max(this.#lastMs, this.nowMs + kLatencyMs);
    this.#queue.push({ atMs: this.#lastMs, run });
  }

  #collect(person: Person): void {
    for (const event of person.keys.takeEvents()) {
      person.events.push(event);
      if (event.kind === 'sign') {
        const signature = ed25519Sign(person.identity.seed, event.message);
        this.later(() => {
          person.keys.handleSigned(this.nowMs, signature);
        });
      }
    }
    for (const message of person.keys.takeMessages()) {
      const bytes = toBinary(KeysFromClientSchema, message);
      this.later(() => {
        if (!person.connected) return;
        const taken = this.intake(person, fromBinary(KeysFromClientSchema, bytes));
        if (taken !== undefined) this.#handle(person, taken);
      });
    }
  }

  #handle(person: Person, { message }: KeysFromClient): void {
    switch (message.case) {
      case 'append':
        this.#append(person, message.value);
        break;
      case 'refuse': {
        const { candidate, reason } = message.value;
        const name = this.people.find((other) => other.candidate === candidate)?.name ?? '';
        this.refusals.push({ name, reason });
        break;
      }
      case 'requestBox': {
        const others = this.onStage().filter((other) => other !== person && other.connected);
        if (others[0]) this.task(others[0], 'rebox', person.leaf);
        break;
      }
      case 'box': {
        const to = this.find(message.value.leaf);
        if (to) this.send(to, 'box', message.value);
        break;
      }
      case 'requestRoster':
        this.sendRoster(person);
        break;
      case 'have':
        for (const stored of this.entries) {
          if (stored.entry.body.n > message.value.n) this.#deliver(person, stored);
        }
        break;
      case undefined:
        break;
    }
  }

  #append(person: Person, append: AppendEntry): void {
    const refuse = (reason: string) => {
      this.send(person, 'appendRefused', { request: append.request, reason, message: '' });
    };
    const entry = append.entry === undefined ? 'not_canonical' : parseEntry(append.entry);
    if (typeof entry === 'string') {
      refuse('log.invalid');
      return;
    }
    if (entry.body.n !== this.log.n + 1n || !equal(entry.body.prev, this.log.last)) {
      refuse('log.conflict');
      return;
    }
    const chain = this.chain();
    const entryClass = this.log.classOf(entry.body);
    const before = this.onStage();
    const changes = this.log.apply(entry, 'full');
    if (typeof changes === 'string') {
      refuse('log.invalid');
      return;
    }
    const stored = {
      entry,
      short: isShort(entryClass),
      authority: isAuthority(entryClass),
      boxes: this.#boxes(entry, append.boxes),
    };
    this.entries.push(stored);
    const listeners = this.people.filter((other) => other.inside && !before.includes(other));
    for (const other of before) this.#deliver(other, stored);
    if (stored.short) for (const other of listeners) this.#deliver(other, stored);
    this.#letIn(entry, chain, append);
    const waiting = this.people.filter((other) => !other.inside && other.connected);
    if (before.length === 0) for (const other of waiting) this.ask(other);
  }

  #letIn(entry: Entry, chain: object, append: AppendEntry): void {
    for (const person of this.people) {
      if (person.inside || this.log.member(person.leaf) === null) continue;
      person.inside = true;
      const box = append.joinBoxes.find(({ candidate }) => candidate === person.candidate)?.box;
      this.send(person, 'admitted', { chain, admit: entry.object, ...(box ? { box } : {}) });
    }
  }

  #boxes({ body }: Entry, boxes: Uint8Array): Map<string, Uint8Array> {
    const byLeaf = new Map<string, Uint8Array>();
    const leaves = this.log.roster().map(({ leafHash }) => leafHash);
    const receivers = leaves.filter((leaf) => !equal(leaf, body.author));
    if (boxes.length !== kFreshBoxSize * receivers.length) return byLeaf;
    for (const [i, leaf] of receivers.entries()) {
      byLeaf.set(toHex(leaf), boxes.slice(i * kFreshBoxSize, (i + 1) * kFreshBoxSize));
    }
    return byLeaf;
  }

  #deliver(person: Person, { entry, short, boxes }: Stored): void {
    if (!short && this.log.onStage(person.leaf) === null) return;
    const box = boxes.get(toHex(person.leaf));
    const delivered: { entry: SignedObject; box?: Uint8Array } = { entry: entry.object };
    if (box !== undefined) delivered.box = box;
    this.send(person, 'delivery', { entries: [delivered] });
  }
}

export function identity(name: string, account = name): Identity {
  const seed = sha256(new TextEncoder().encode(`identity ${name} ${account}`));
  return { seed, publicKey: ed25519PublicKey(seed), name, account };
}

function of(number: number): Uint8Array {
  return new TextEncoder().encode(String(number));
}

/** A frame from one to the other; null where it is not sent, else what became of it. */
export function speak(house: House, from: Person, to: Person): string | null {
  if (!from.keys.maySend(house.nowMs)) return null;
  const packet = from.keys.frames.seal(Uint8Array.of(1, 2, 3));
  if (typeof packet === 'string') return null;
  const result = to.keys.frames.open(packet);
  to.keys.noteFrame(house.nowMs, result);
  return result.kind === 'dropped' ? result.reason : result.kind;
}
