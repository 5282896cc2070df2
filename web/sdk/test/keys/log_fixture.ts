// A room with people, for tests of the log: deterministic keys, and entries that its members write.

import { create } from '@bufbuild/protobuf';
import { RoomKind } from '../../src/gen/alcove/v1/common_pb';
import {
  Advance,
  CertificateSchema,
  GenesisSchema,
  LogEntrySchema,
  LogOpSchema,
} from '../../src/gen/alcove/v1/keys_pb';
import type { LogEntry, LogOp } from '../../src/gen/alcove/v1/keys_pb';
import { kNoBytes, utf8 } from '../../src/keys/bytes';
import { ed25519PublicKey, ed25519Sign, sha256, x25519PublicKey } from '../../src/keys/crypto';
import { LogState } from '../../src/keys/log_state';
import type { Change, Follow, LogError } from '../../src/keys/log_types';
import {
  makeCertificate,
  makeEntry,
  makeGenesis,
  makeResumeEntry,
  parseEntry,
} from '../../src/keys/objects';
import type { Certificate, Entry, Genesis } from '../../src/keys/objects';

export interface Person {
  name: string;
  identitySeed: Uint8Array;
  leafSeed: Uint8Array;
  encryptionKey: Uint8Array;
  certificate: Certificate;
  leaf: Uint8Array;
  identity: Uint8Array;
}

type Op = NonNullable<Parameters<typeof create<typeof LogOpSchema>>[1]>['op'];

export const kConfirm = new Uint8Array(32).fill(7);

export function seedOf(text: string): Uint8Array {
  return sha256(utf8(text));
}

export function op(value: NonNullable<Op>): LogOp {
  return create(LogOpSchema, { op: value });
}

export async function genesisOf(host: string): Promise<Genesis> {
  const seed = seedOf(`identity ${host}`);
  const body = create(GenesisSchema, {
    version: 1,
    roomId: seedOf('room').slice(0, 16),
    host: ed25519PublicKey(seed),
    kind: RoomKind.OPEN,
    packetBucket: 160,
    manifestKeyHash: kNoBytes,
    createdAtMs: 1_700_000_000_000n,
  });
  return makeGenesis(body, (message) => ed25519Sign(seed, message));
}

/** `join`: another one has the same identity and other keys. */
export async function personOf(genesis: Genesis, name: string, join = 1): Promise<Person> {
  const identitySeed = seedOf(`identity ${name}`);
  const leafSeed = seedOf(`leaf ${name} ${String(join)}`);
  const encryptionKey = seedOf(`encryption ${name} ${String(join)}`);
  const identity = ed25519PublicKey(identitySeed);
  const body = create(CertificateSchema, {
    roomFingerprint: genesis.fingerprint,
    identity,
    leaf: ed25519PublicKey(leafSeed),
    encryption: x25519PublicKey(encryptionKey),
    account: 'guest',
    displayName: name,
  });
  const certificate = await makeCertificate(genesis.fingerprint, body, (message) =>
    ed25519Sign(identitySeed, message),
  );
  const leaf = certificate.leafHash;
  return { name, identitySeed, leafSeed, encryptionKey, certificate, leaf, identity };
}

export function admit(person: Person, seat = 0): LogOp {
  return op({
    case: 'admit',
    value: { certificate: person.certificate.object, seat },
  });
}

export function depart(person: Person): LogOp {
  return op({ case: 'depart', value: { leaf: person.leaf } });
}

/** A log that grows, with the state that follows it in full. */
export class Room {
  readonly state: LogState;
  readonly entries: Entry[] = [];
  timeMs = 1_700_000_001_000n;

  private constructor(
    readonly genesis: Genesis,
    readonly host: Person,
  ) {
    this.state = new LogState(genesis);
  }

  static async open(): Promise<Room> {
    const genesis = await genesisOf('Ada');
    const room = new Room(genesis, await personOf(genesis, 'Ada'));
    await room.resume(room.host, [admit(room.host, 1)]);
    return room;
  }

  person(name: string, join = 1): Promise<Person> {
    return personOf(this.genesis, name, join);
  }

  /** What the author would write, signed. */
  draft(author: Person, ops: LogOp[], advance = Advance.NONE): Entry | LogError {
    const body = this.state.draft({ author: author.leaf, ops, advance, timeMs: this.timeMs });
    return typeof body === 'string' ? body : this.sign(author, body);
  }

  sign(author: Person, body: LogEntry): Entry {
    const confirm = body.advance === Advance.NONE ? kNoBytes : kConfirm;
    return makeEntry(this.genesis.fingerprint, body, confirm, (message) =>
      ed25519Sign(author.leafSeed, message),
    );
  }

  /** Drafts, changes, signs and applies. */
  forge(author: Person, body: LogEntry, change: Partial<LogEntry>): LogError | Change[] {
    return this.state.apply(
      this.sign(author, create(LogEntrySchema, { ...body, ...change })),
      'full',
    );
  }

  write(author: Person, ops: LogOp[], advance = Advance.NONE): Entry {
    const entry = this.draft(author, ops, advance);
    if (typeof entry === 'string') throw new Error(entry);
    this.take(entry);
    return entry;
  }

  async resume(author: Person, ops: LogOp[]): Promise<Entry> {
    const entry = await this.draftResume(author, ops);
    if (typeof entry === 'string') throw new Error(entry);
    this.take(entry);
    return entry;
  }

  async draftResume(author: Person, ops: LogOp[]): Promise<Entry | LogError> {
    const { state, timeMs } = this;
    const advance = Advance.FRESH;
    const body = state.draft({ author: author.leaf, ops, advance, resume: true, timeMs });
    if (typeof body === 'string') return body;
    return makeResumeEntry(this.genesis.fingerprint, body, kConfirm, (message) =>
      Promise.resolve(ed25519Sign(author.identitySeed, message)),
    );
  }

  /** As it comes over the wire. */
  take(entry: Entry): void {
    const parsed = parseEntry(entry.object);
    const changes = typeof parsed === 'string' ? parsed : this.state.apply(parsed, 'full');
    if (typeof changes === 'string') throw new Error(changes);
    this.entries.push(entry);
    this.timeMs += 1000n;
  }

  /** Onto the stage, by the host. */
  async speaker(name: string): Promise<Person> {
    const person = await this.person(name);
    this.write(this.host, [admit(person)]);
    this.write(this.host, [this.speakerOp(person)]);
    return person;
  }

  speakerOp(person: Person, seat = this.state.nextFreeSeat() ?? 0): LogOp {
    return op({
      case: 'role',
      value: {
        leaf: person.leaf,
        role: 2,
        seat,
        certificate: person.certificate.object,
        linkBox: kNoBytes,
      },
    });
  }

  /** A state that follows all entries so far. */
  follow(follow: Follow, entries: readonly Entry[] = this.entries): LogState {
    const state = new LogState(this.genesis);
    for (const entry of entries) {
      const changes = state.apply(entry, follow);
      if (typeof changes === 'string') throw new Error(`${String(entry.body.n)}: ${changes}`);
    }
    return state;
  }
}
