// The chain of a join (docs/protocol/room-keys.md, "Joining", 5).

import type { LogChain, SignedObject } from '../gen/alcove/v1/keys_pb';
import { kMaxAuthorityEntries } from './bounds';
import { equal } from './bytes';
import { LogState } from './log_state';
import { isAuthority, isShort } from './log_types';
import type { LogError } from './log_types';
import { hasAdvance, parseEntry, parseGenesis } from './objects';
import type { Entry } from './objects';

export interface WalkedChain {
  state: LogState;
  /** The newest advance; null in a room that has no entry. */
  advance: Entry | null;
  /** The newest entry of the short path; null in a room that has no entry. */
  head: Entry | null;
}

/**
 * Walked without the admit: the state after the newest entry of authority, advance and head, in the order
 * of n. Fingerprint null: not known beforehand.
 */
export function walkChain(chain: LogChain, fingerprint: Uint8Array | null): WalkedChain | LogError {
  if (chain.genesis === undefined) return 'bad_object';
  const genesis = parseGenesis(chain.genesis);
  if (typeof genesis === 'string') return 'bad_object';
  if (fingerprint !== null && !equal(genesis.fingerprint, fingerprint)) return 'fork';
  const state = new LogState(genesis);
  if (chain.authority.length === 0 && chain.advance === undefined && chain.head === undefined) {
    return { state, advance: null, head: null };
  }
  if (chain.authority.length > kMaxAuthorityEntries) return 'log_full';
  const authority = parseAll(chain.authority);
  if (authority === null) return 'bad_object';
  const advance = chain.advance === undefined ? newestAdvance(authority) : parseOne(chain.advance);
  if (advance === null) return 'bad_object';
  const head = chain.head === undefined ? newerOf(authority.at(-1), advance) : parseOne(chain.head);
  if (head === null) return 'bad_object';
  return walk(state, authority, advance, head);
}

function walk(
  state: LogState,
  authority: readonly Entry[],
  advance: Entry,
  head: Entry,
): WalkedChain | LogError {
  const authorityHashes = authority.map(({ hash }) => hash);
  const advanceIsListed = authorityHashes.some((hash) => equal(hash, advance.hash));
  const newer = authority.findIndex(({ body }) => body.n > advance.body.n);
  const before = newer === -1 ? authority.length : newer;
  for (const [i, entry] of authority.entries()) {
    const error =
      (i === before && !advanceIsListed ? step(state, advance) : null) ??
      (isAuthority(state.classOf(entry.body)) ? step(state, entry) : 'fork');
    if (error !== null) return error;
  }
  const error =
    (before === authority.length && !advanceIsListed ? step(state, advance) : null) ??
    (equal(state.last, head.hash) ? null : stepToHead(state, head));
  if (error !== null) return error;
  const isComplete = hasAdvance(advance) && state.epoch === advance.body.epoch;
  return isComplete ? { state, advance, head } : 'wrong_state';
}

function step(state: LogState, entry: Entry): LogError | null {
  const changes = state.apply(entry, 'chain');
  return typeof changes === 'string' ? changes : null;
}

function stepToHead(state: LogState, head: Entry): LogError | null {
  return isShort(state.classOf(head.body)) ? step(state, head) : 'fork';
}

// Advance and head, where they are left out because they stand before already.
function newestAdvance(authority: readonly Entry[]): Entry | null {
  return [...authority].reverse().find(hasAdvance) ?? null;
}

function newerOf(authority: Entry | undefined, advance: Entry): Entry {
  return authority !== undefined && authority.body.n > advance.body.n ? authority : advance;
}

function parseOne(object: SignedObject | undefined): Entry | null {
  if (object === undefined) return null;
  const entry = parseEntry(object);
  return typeof entry === 'string' ? null : entry;
}

function parseAll(objects: readonly SignedObject[]): Entry[] | null {
  const entries: Entry[] = [];
  for (const object of objects) {
    const entry = parseOne(object);
    if (entry === null) return null;
    entries.push(entry);
  }
  return entries;
}
