// The worker's side of the keys, as the main thread and the server see it.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RoomKind } from '../../src/gen/alcove/v1/common_pb';
import {
  JoinKeysSchema,
  KeysFromClientSchema,
  KeysFromServerSchema,
  SignedObjectSchema,
  Waiting_Reason,
} from '../../src/gen/alcove/v1/keys_pb';
import type { AppendEntry } from '../../src/gen/alcove/v1/keys_pb';
import { toBase64Url } from '../../src/keys/bytes';
import { MemoryKeyDatabase } from '../../src/keys/database';
import { KeysWorker } from '../../src/keys/keys_worker';
import { parseLinkFragment } from '../../src/keys/link';
import type {
  JoinInit,
  KeysAnswer,
  KeysCommand,
  KeysFromWorker,
  KeysSnapshot,
} from '../../src/keys/messages';
import { parseCertificate, parseEntry, parseGenesis } from '../../src/keys/objects';

const name = { account: '7', visit: '' };
const guest = { account: 'guest', visit: 'one' };

let posted: KeysFromWorker[];
let released: number;
let worker: KeysWorker;
let database: MemoryKeyDatabase;
let requests = 0;

beforeEach(() => {
  posted = [];
  released = 0;
  database = new MemoryKeyDatabase();
  worker = new KeysWorker({
    post: (message) => posted.push(message),
    onKeys: () => (released += 1),
    database,
    subtle: crypto.subtle,
  });
});

async function answerTo(request: number): Promise<KeysAnswer> {
  return await vi.waitFor(() => {
    const found = posted.find(
      (message) => message.type === 'keys-answer' && message.request === request,
    );
    if (found?.type !== 'keys-answer') throw new Error('no answer');
    return found.answer;
  });
}

async function makeGenesis(): Promise<JoinInit> {
  const request = ++requests;
  const manifestKeyHash = new Uint8Array(32).fill(7);
  const room = { kind: RoomKind.CLOSED, packetBucket: 160, manifestKeyHash };
  const init = { ...room, createdAtMs: 1_700_000_000_000 };
  worker.handle({ type: 'keys-genesis', request, name, init });
  const answer = await answerTo(request);
  if (answer.kind !== 'bytes') throw new Error(answer.kind);
  const link = parseLinkFragment(answer.fragment);
  if (link === null) throw new Error(answer.fragment);
  const { fingerprint, secret: linkSecret } = link;
  const first = { linkGeneration: null, wasInside: false };
  return { name, displayName: 'Ada', genesis: answer.bytes, fingerprint, linkSecret, ...first };
}

function join(init: JoinInit): Promise<KeysAnswer> {
  const request = ++requests;
  worker.handle({ type: 'keys-join', request, init });
  return answerTo(request);
}

function command(given: KeysCommand): Promise<KeysAnswer> {
  const request = ++requests;
  worker.handle({ type: 'keys-command', request, command: given });
  return answerTo(request);
}

function fromServer(message: MessageInitShape<typeof KeysFromServerSchema>['message']): void {
  const made = create(KeysFromServerSchema, message === undefined ? {} : { message });
  worker.handle({ type: 'keys-from-server', message: toBinary(KeysFromServerSchema, made) });
}

/** The entry that the worker sends next. */
async function appended(): Promise<AppendEntry> {
  return await vi.waitFor(() => {
    const at = posted.findIndex((message) => message.type === 'keys-to-server');
    const [found] = at < 0 ? [] : posted.splice(at, 1);
    if (found?.type !== 'keys-to-server') throw new Error('nothing sent');
    const { message } = fromBinary(KeysFromClientSchema, found.message);
    if (message.case !== 'append') throw new Error(message.case ?? 'nothing');
    return message.value;
  });
}

function snapshot(): KeysSnapshot {
  const found = posted.findLast((message) => message.type === 'keys-view');
  if (found?.type !== 'keys-view') throw new Error('nothing shown');
  return found.snapshot;
}

/** The room's host begins it. */
async function begin(): Promise<JoinInit> {
  const init = await makeGenesis();
  await join(init);
  fromServer({ case: 'waiting', value: { reason: Waiting_Reason.RESUME } });
  expect(snapshot().view.waiting).toBe('resume');
  const chain = { genesis: fromBinary(SignedObjectSchema, init.genesis) };
  fromServer({ case: 'resume', value: chain });
  const { entry } = await appended();
  if (entry === undefined) throw new Error('no entry');
  fromServer({ case: 'admitted', value: { chain, admit: entry } });
  return init;
}

describe('a join', () => {
  it('has keys of its own, certified for the room by the identity of the device', async () => {
    const init = await makeGenesis();
    const genesis = parseGenesis(fromBinary(SignedObjectSchema, init.genesis));
    if (typeof genesis === 'string') throw new Error(genesis);
    const leaves = [];
    while (leaves.length < 2) {
      const answer = await join(init);
      if (answer.kind !== 'bytes') throw new Error(answer.kind);
      const keys = fromBinary(JoinKeysSchema, answer.bytes);
      expect(keys.linkMac).toHaveLength(32);
      const object = keys.certificate ?? create(SignedObjectSchema);
      const certificate = parseCertificate(genesis.fingerprint, object);
      if (typeof certificate === 'string') throw new Error(certificate);
      expect(certificate.identity).toEqual(genesis.host);
      expect(certificate.displayName).toBe('Ada');
      leaves.push(certificate.leafHash);
    }
    expect(leaves[0]).not.toEqual(leaves[1]);
  });

  it('is refused with another room’s genesis than the link’s, or with none', async () => {
    const init = await makeGenesis();
    const other = await makeGenesis();
    const wrong = { ...init, genesis: other.genesis };
    expect(await join(wrong)).toEqual({ kind: 'failed', reason: 'wrong_room' });
    const none = { ...init, genesis: new Uint8Array() };
    expect(await join(none)).toEqual({ kind: 'failed', reason: 'bad_genesis' });
    const noise = { ...init, genesis: new Uint8Array(9).fill(255) };
    expect(await join(noise)).toEqual({ kind: 'failed', reason: 'not_possible' });
    expect(worker.frames).toBeNull();
  });

  it('gives way to one that is asked for after it', async () => {
    const init = await makeGenesis();
    const [first, second] = await Promise.all([join(init), join(init)]);
    expect(first).toEqual({ kind: 'failed', reason: 'superseded' });
    expect(second.kind).toBe('bytes');
  });
});

describe('a member', () => {
  it('begins its room, speaks, and writes what its person wants', async () => {
    await begin();
    expect(snapshot()).toMatchObject({ seat: 1, view: { admitted: true, waiting: null } });
    expect(worker.maySend(performance.now())).toBe(true);
    expect(typeof worker.frames?.seal(Uint8Array.of(1))).toBe('object');
    const locked = command({ kind: 'lock', locked: true });
    const { entry } = await appended();
    if (entry === undefined) throw new Error('no entry');
    const before = released;
    fromServer({ case: 'delivery', value: { entries: [{ entry }] } });
    expect(await locked).toEqual({ kind: 'done' });
    expect(snapshot().view.locked).toBe(true);
    // Frames that were held may open now.
    expect(released).toBe(before + 1);
  });

  it('tells the identity key, and invites others by theirs', async () => {
    const request = ++requests;
    worker.handle({ type: 'keys-identity', request, name: guest });
    const answer = await answerTo(request);
    if (answer.kind !== 'bytes') throw new Error(answer.kind);
    expect(answer.bytes).toHaveLength(32);
    await begin();
    const identities = [toBase64Url(answer.bytes)];
    const invited = command({ kind: 'invite', identities });
    const { entry } = await appended();
    if (entry === undefined) throw new Error('no entry');
    const parsed = parseEntry(entry);
    if (typeof parsed === 'string') throw new Error(parsed);
    const value = expect.objectContaining({ identities: [answer.bytes] }) as unknown;
    expect(parsed.body.ops.map(({ op }) => op)).toEqual([{ case: 'invite', value }]);
    fromServer({ case: 'delivery', value: { entries: [{ entry }] } });
    expect(await invited).toEqual({ kind: 'done' });
  });

  it('invites nothing that is no identity key', async () => {
    await begin();
    const key = toBase64Url(new Uint8Array(32).fill(1));
    const bad = [[], [key, '!'], ['AAAA'], Array<string>(65).fill(key)];
    for (const identities of bad) {
      expect(await command({ kind: 'invite', identities })).toEqual({
        kind: 'failed',
        reason: 'not_permitted',
      });
    }
  });

  it('has a roster and a log to show', async () => {
    await begin();
    const roster = await command({ kind: 'roster' });
    if (roster.kind !== 'roster') throw new Error(roster.kind);
    expect(roster.members).toMatchObject([{ name: 'Ada', seat: 1, device: 'self' }]);
    expect((await command({ kind: 'export' })).kind).toBe('bytes');
  });

  it('is not moved by what is no message, and answers what is no leaf', async () => {
    await begin();
    const before = posted.length;
    worker.handle({ type: 'keys-from-server', message: new Uint8Array(7).fill(255) });
    fromServer(undefined);
    expect(posted.filter(({ type }) => type === 'keys-to-server')).toEqual([]);
    expect(posted).toHaveLength(before);
    const refused = await command({ kind: 'allow-stage', leaf: '*' });
    expect(refused).toEqual({ kind: 'failed', reason: 'not_permitted' });
  });
});

it('before a join there is nothing to do or to show', async () => {
  const nothing = { kind: 'failed', reason: 'not_possible' };
  for (const kind of ['roster', 'export', 'step-down', 'depart'] as const) {
    expect(await command({ kind })).toEqual(nothing);
  }
  worker.handle({ type: 'keys-connected' });
  worker.handle({ type: 'keys-disconnected' });
  fromServer({ case: 'waiting', value: { reason: Waiting_Reason.NOBODY } });
  expect(posted.every(({ type }) => type === 'keys-answer')).toBe(true);
  expect(worker.maySend(0)).toBe(false);
});

it('a listener who leaves has nothing to write', async () => {
  await join(await makeGenesis());
  expect(await command({ kind: 'depart' })).toEqual({ kind: 'done' });
});

it('a guest’s identity is out of the database when it says so, an account’s stays', async () => {
  for (const who of [guest, name]) worker.handle({ type: 'keys-prepare', name: who });
  await vi.waitFor(async () => {
    expect(await database.keys('identities')).toHaveLength(2);
  });
  for (const who of [guest, name]) {
    const request = ++requests;
    worker.handle({ type: 'keys-forget', request, name: who });
    expect(await answerTo(request)).toEqual({ kind: 'done' });
  }
  expect(await database.keys('identities')).toEqual(['account:7']);
});
