// tests/vectors/room-keys/log.json: a log with every op, and entries and chains that are refused.

import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { LogChainSchema, SignedObjectSchema } from '../../src/gen/alcove/v1/keys_pb';
import { toHex } from '../../src/keys/bytes';
import { chainOf, confirmOf, kZeroSecret, nextEpochSecret } from '../../src/keys/epochs';
import { walkChain } from '../../src/keys/log_chain';
import { LogState } from '../../src/keys/log_state';
import { isShort } from '../../src/keys/log_types';
import type { EntryClass, Follow, LogError } from '../../src/keys/log_types';
import { hasAdvance, parseCertificate, parseEntry, parseGenesis } from '../../src/keys/objects';
import type { Certificate, Entry } from '../../src/keys/objects';
import { bytesOf, vectorJson } from './vectors';

interface EntryVector {
  what: string;
  object: string;
  n: number;
  hash: string;
  body_hash: string;
  class: EntryClass;
  stage_hash: string;
  roster_hash: string;
  stage: { seat: number; leaf_hash: string; identity: string; role: number; since: number }[];
  roster: string[];
  locked: boolean;
  link_void: boolean;
  link_generation: number;
  next_free_seat: number;
  epoch_number: number;
  fresh: string;
  epoch?: string;
  confirm?: string;
}

interface LogVectors {
  genesis: string;
  entries: EntryVector[];
  chain: string;
  roster: string[];
  invalid: { what: string; after: number; follow: Follow; object: string; error: LogError }[];
  invalid_chains: { what: string; chain: string; error: LogError }[];
}

const vectors = vectorJson<LogVectors>('room-keys/log.json');
const genesis = parseGenesis(objectOf(vectors.genesis));
if (typeof genesis === 'string') throw new Error(genesis);
const entries = vectors.entries.map(({ object }) => entryOf(object));

function objectOf(hex: string) {
  return fromBinary(SignedObjectSchema, bytesOf(hex));
}

function entryOf(hex: string): Entry {
  const entry = parseEntry(objectOf(hex));
  if (typeof entry === 'string') throw new Error(entry);
  return entry;
}

function newState(): LogState {
  if (typeof genesis === 'string') throw new Error(genesis);
  return new LogState(genesis);
}

function apply(state: LogState, entry: Entry, follow: Follow): void {
  expect([entry.body.n, state.apply(entry, follow)]).toEqual([entry.body.n, expect.any(Array)]);
}

/** The full states after 0, 1, 2, … entries. */
const states = [newState()];
for (const entry of entries) {
  const next = states.at(-1)?.clone() ?? newState();
  next.apply(entry, 'full');
  states.push(next);
}

function expectStage(state: LogState, vector: EntryVector): void {
  const stage = [...state.stage.values()].map(({ seat, role, since, certificate }) => ({
    seat,
    leaf_hash: toHex(certificate.leafHash),
    identity: toHex(certificate.identity),
    role,
    since: Number(since),
  }));
  expect(stage).toEqual(vector.stage);
  expect(toHex(state.stageHash())).toBe(vector.stage_hash);
  expect(state.locked).toBe(vector.locked);
  expect(state.linkVoid).toBe(vector.link_void);
  expect(state.linkGeneration).toBe(vector.link_generation);
  expect(state.nextFreeSeat()).toBe(vector.next_free_seat);
  expect(state.epoch).toBe(vector.epoch_number);
  expect(toHex(state.rosterHash)).toBe(vector.roster_hash);
  expect(state.rosterSize).toBe(vector.roster.length);
}

function walked() {
  const chain = walkChain(fromBinary(LogChainSchema, bytesOf(vectors.chain)), null);
  if (typeof chain === 'string') throw new Error(chain);
  return chain;
}

function rosterCertificates(): Certificate[] {
  return vectors.roster.map((object) => {
    const certificate = parseCertificate(newState().fingerprint, objectOf(object));
    if (typeof certificate === 'string') throw new Error(certificate);
    return certificate;
  });
}

describe('the log of the vectors', () => {
  it('gives the same states in full', () => {
    const state = newState();
    for (const [i, vector] of vectors.entries.entries()) {
      const entry = entries[i];
      if (entry === undefined) throw new Error('no entry');
      expect(toHex(entry.hash)).toBe(vector.hash);
      expect(toHex(entry.bodyHash)).toBe(vector.body_hash);
      expect(state.classOf(entry.body)).toEqual(vector.class);
      expect(state.check(entry, 'full')).toBeNull();
      apply(state, entry, 'full');
      expectStage(state, vector);
      expect(state.roster().map(({ leafHash }) => toHex(leafHash))).toEqual(vector.roster);
      expect(toHex(state.last)).toBe(vector.hash);
    }
  });

  it('gives the same stages in short', () => {
    const state = newState();
    for (const [i, vector] of vectors.entries.entries()) {
      const entry = entries[i];
      if (entry === undefined || !isShort(vector.class)) continue;
      apply(state, entry, 'short');
      expectStage(state, vector);
      expect(state.isFull).toBe(false);
    }
  });

  it('gives the same epochs', () => {
    let chain = kZeroSecret;
    for (const [i, vector] of vectors.entries.entries()) {
      const entry = entries[i];
      if (entry === undefined || !hasAdvance(entry)) continue;
      const fresh = vector.fresh ? bytesOf(vector.fresh) : null;
      if (vector.class.resume) chain = kZeroSecret;
      const epoch = nextEpochSecret(chain, fresh, entry.bodyHash);
      expect([vector.what, toHex(epoch)]).toEqual([vector.what, vector.epoch]);
      expect(toHex(confirmOf(epoch, entry.bodyHash))).toBe(vector.confirm);
      expect(toHex(entry.object.confirm)).toBe(vector.confirm);
      chain = chainOf(epoch);
    }
  });

  it('is walked by a joiner, who then has the roster', () => {
    const { state, head, advance } = walked();
    const last = vectors.entries.at(-1);
    if (last === undefined) throw new Error('no entry');
    expectStage(state, last);
    expect(head && toHex(head.hash)).toBe(toHex(state.last));
    expect(advance?.body.epoch).toBe(state.epoch);
    const newest = entries.at(-1);
    if (newest === undefined) throw new Error('no entry');
    expect(state.adoptRoster(rosterCertificates(), newest)).toBeNull();
    expect(state.isFull).toBe(true);
    expect(state.roster().map(({ leafHash }) => toHex(leafHash))).toEqual(last.roster);
  });

  it.each(vectors.invalid)('refuses in $follow: $what', ({ after, follow, object, error }) => {
    const state = states[after]?.clone() ?? newState();
    expect(state.n).toBe(BigInt(after));
    const before = [toHex(state.last), toHex(state.stageHash()), toHex(state.rosterHash)];
    const entry = entryOf(object);
    expect(state.check(entry, follow)).toBe(error);
    expect(state.apply(entry, follow)).toBe(error);
    const now = [toHex(state.last), toHex(state.stageHash()), toHex(state.rosterHash)];
    expect(now).toEqual(before);
    expect(state.isFull).toBe(true);
  });

  it.each(vectors.invalid_chains)('a joiner refuses $what', ({ chain, error }) => {
    const parsed = fromBinary(LogChainSchema, bytesOf(chain));
    expect(walkChain(parsed, newState().fingerprint)).toBe(error);
  });
});
