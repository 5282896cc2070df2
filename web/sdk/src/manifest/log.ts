// The server's log of its changes: append-only, hash-chained, each entry signed by the key in force before it.
// The same rules as src/policy/transparency_log.h.

import { fromBinary } from '@bufbuild/protobuf';
import {
  TransparencyEntrySchema,
  TransparencyEntry_Kind as Kind,
} from '../gen/alcove/v1/manifest_pb';
import type {
  SignedTransparencyEntry,
  TransparencyEntry,
  TransparencyPage,
} from '../gen/alcove/v1/manifest_pb';
import { concat, equal, kNoBytes, toHex, utf8 } from '../keys/bytes';
import { kHashSize, kKeySize, kSignatureSize } from '../keys/sizes';
import { sha256 } from './verify';
import type { VerifySignature } from './verify';

export const kMaxPage = 256;
/** Followed at once; a longer log goes on with the next visit. */
const kMaxFollowed = 8_192;
const kMaxEntry = 4_096;
const kMaxSummary = 2_000;

export interface LogHead {
  /** How many entries were checked. */
  size: number;
  /** Of the last entry. */
  hash: Uint8Array;
  /** The key in force. */
  key: Uint8Array;
  /** Of the last entries that said so; empty for none. */
  policy: Uint8Array;
  manifest: Uint8Array;
  atMs: number;
}

/**
 * rollback: shorter than it was. fork: what was checked before is not in it. broken: an entry does not hold.
 * other-key: the manifest is signed by a key that the log has not in force. unlogged: the manifest is not in it,
 * or an older one is shown.
 */
export type LogFault = 'rollback' | 'fork' | 'broken' | 'other-key' | 'unlogged';

export interface Followed {
  fault: LogFault | null;
  head: LogHead;
  /** Entries in all, as the server says. */
  size: number;
  /** Those that were in force, in order, in hexadecimal. */
  keys: string[];
}

export type FetchPage = (from: number) => Promise<TransparencyPage>;

export function emptyHead(): LogHead {
  const none = { hash: new Uint8Array(kHashSize), key: kNoBytes, policy: kNoBytes };
  return { size: 0, manifest: kNoBytes, atMs: 0, ...none };
}

/** The head after the entry; null where the entry does not hold. */
export async function appendEntry(
  head: LogHead,
  signed: SignedTransparencyEntry,
  verify: VerifySignature,
): Promise<LogHead | null> {
  if (signed.entry.length > kMaxEntry || signed.signature.length !== kSignatureSize) return null;
  const entry = parse(signed.entry);
  if (entry === null || !fieldsAreValid(entry)) return null;
  const atMs = Number(entry.atMs);
  const follows = entry.n === BigInt(head.size) && equal(entry.previous, head.hash);
  if (!follows || atMs < head.atMs) return null;
  const isFirst = head.size === 0;
  if (isFirst && entry.kind !== Kind.KEY) return null;
  const key = entry.key.length === 0 ? head.key : entry.key;
  if (key.length !== kKeySize) return null;
  if (entry.kind === Kind.KEY && entry.key.length === 0) return null;
  if (entry.kind !== Kind.KEY && !equal(key, head.key)) return null;
  const message = concat(utf8('alcove log v1\0'), signed.entry);
  if (!(await verify(isFirst ? key : head.key, message, signed.signature))) return null;
  const { policySha256: policy, manifestSha256: manifest } = entry;
  return {
    size: head.size + 1,
    hash: await sha256(signed.entry),
    key,
    policy: policy.length === 0 ? head.policy : policy,
    manifest: manifest.length === 0 ? head.manifest : manifest,
    atMs,
  };
}

/**
 * From a head that was checked before (or the empty one) to the end.
 * @throws what `fetchPage` throws: nothing is known of the log then
 */
export async function followLog(
  start: LogHead,
  fetchPage: FetchPage,
  verify: VerifySignature,
): Promise<Followed> {
  let head = start;
  const keys = start.key.length === 0 ? [] : [toHex(start.key)];
  // The last entry that was checked before is asked for again: it must still be there.
  let again = start.size > 0;
  for (;;) {
    const page = await fetchPage(again ? head.size - 1 : head.size);
    const entries = [...page.entries];
    const size = Number(page.size);
    const result = (fault: LogFault | null): Followed => ({ fault, head, size, keys });
    if (size < head.size) return result('rollback');
    if (entries.length > kMaxPage || !Number.isSafeInteger(size)) return result('broken');
    if (again) {
      const known = entries.shift();
      if (known === undefined || !equal(await sha256(known.entry), head.hash))
        return result('fork');
      again = false;
    }
    const isEnd = head.size + entries.length >= size;
    if (entries.length === 0 && !isEnd) return result('broken');
    for (const [index, entry] of entries.entries()) {
      const next = await appendEntry(head, entry, verify);
      // What follows the known entry without naming it is another history.
      if (next === null) return result(index === 0 && start.size > 0 ? 'fork' : 'broken');
      head = next;
      const key = toHex(next.key);
      if (keys.at(-1) !== key) keys.push(key);
    }
    if (isEnd || head.size - start.size >= kMaxFollowed) return result(null);
  }
}

function parse(bytes: Uint8Array): TransparencyEntry | null {
  try {
    return fromBinary(TransparencyEntrySchema, bytes);
  } catch {
    return null;
  }
}

function fieldsAreValid({ kind, summary, ...entry }: TransparencyEntry): boolean {
  const hashes = [entry.policySha256, entry.manifestSha256];
  return (
    (kind === Kind.KEY || kind === Kind.POLICY || kind === Kind.MANIFEST) &&
    entry.previous.length === kHashSize &&
    hashes.every(({ length }) => length === 0 || length === kHashSize) &&
    utf8(summary).length <= kMaxSummary
  );
}
