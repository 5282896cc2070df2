// The one entry of this client that is on its way: built from a plan, signed, and waited for.

import { create } from '@bufbuild/protobuf';
import { Advance, AppendEntrySchema } from '../gen/alcove/v1/keys_pb';
import type { AppendEntry, LogEntry } from '../gen/alcove/v1/keys_pb';
import { compare, concat, equal, kNoBytes, toHex } from './bytes';
import { ed25519Sign, sha256 } from './crypto';
import type { RandomSource } from './crypto';
import type { EpochChain, OwnAdvance } from './epoch_chain';
import { epochPlaintext, kFreshBoxSize, kSecretSize } from './epochs';
import type { Epoch } from './epochs';
import type { LogState } from './log_state';
import type { LogError } from './log_types';
import { entryBytes, makeEntry, parseCertificate } from './objects';
import type { Certificate, Entry } from './objects';
import type { OwnLeaf } from './own_leaf';
import type { Plan, Situation } from './plan';
import type { SealerPool } from './sealers';

const kAcknowledgedWithinMs = 2_000;
/** Somebody else's entry that was faster comes within this time. */
const kConflictMs = 500;
/** Own entries that were given up may come back all the same, and need their secrets then. */
const kMaxGivenUp = 8;

export interface InFlight {
  request: number;
  entry: Entry;
  plan: Plan;
  advance: OwnAdvance | null;
  endsMs: number;
  conflict: boolean;
}

export interface Built {
  entry: Entry;
  advance: OwnAdvance | null;
  boxes: Uint8Array;
}

export class Writer {
  #request = 0;
  #inFlight: InFlight | null = null;
  readonly #givenUp = new Map<string, InFlight>();

  constructor(
    private readonly own: OwnLeaf,
    private readonly sealers: SealerPool,
    private readonly random: RandomSource,
  ) {}

  get inFlight(): InFlight | null {
    return this.#inFlight;
  }

  get deadlineMs(): number {
    return this.#inFlight?.endsMs ?? Infinity;
  }

  /** The message to send, or why the log would not take this. */
  write(plan: Plan, situation: Situation): AppendEntry | LogError {
    const { log, epochs, nowMs, wallMs } = situation;
    const body = log.draft({
      author: this.own.certificate.leafHash,
      ops: plan.ops,
      advance: plan.advance,
      timeMs: BigInt(Math.max(0, Math.floor(wallMs))),
    });
    if (typeof body === 'string') return body;
    const advance = this.makeAdvance(body, epochs, false);
    if (advance === null && plan.advance !== Advance.NONE) return 'wrong_state';
    const confirm = advance?.confirm ?? kNoBytes;
    const sign = (message: Uint8Array) => ed25519Sign(this.own.leafSeed, message);
    const entry = makeEntry(log.fingerprint, body, confirm, sign);
    const boxes = advance?.fresh ? this.freshBoxes(log, entry, advance.fresh) : kNoBytes;
    const epoch = advance ? { number: body.epoch, secret: advance.secret } : epochs.current;
    return this.send(nowMs, plan, { entry, advance, boxes }, epoch);
  }

  /** Of a body with an advance; null where there is no epoch to go on from. */
  makeAdvance(body: LogEntry, epochs: EpochChain, resume: boolean): OwnAdvance | null {
    if (body.advance === Advance.NONE) return null;
    const fresh = body.advance === Advance.FRESH ? this.random(kSecretSize) : null;
    return epochs.makeAdvance(sha256(entryBytes(body)), fresh, resume);
  }

  /** For each leaf of the roster after the entry, the author's left out, in the order of leaf hashes. */
  freshBoxes(log: LogState, entry: Entry, fresh: Uint8Array): Uint8Array {
    const boxes: Uint8Array[] = [];
    for (const receiver of rosterAfter(log, entry.body)) {
      if (equal(receiver.leafHash, this.own.certificate.leafHash)) continue;
      const box = this.sealers.take('box', receiver)?.seal(entry.bodyHash, fresh);
      // A key that nothing can be sealed to: its holder has shut itself out.
      boxes.push(box ?? new Uint8Array(kFreshBoxSize));
    }
    return concat(...boxes);
  }

  send(nowMs: number, plan: Plan, built: Built, epoch: Epoch | null): AppendEntry {
    const { entry, advance, boxes } = built;
    const request = ++this.#request;
    const endsMs = nowMs + kAcknowledgedWithinMs;
    this.#inFlight = { request, entry, plan, advance, endsMs, conflict: false };
    const joinBoxes = plan.candidates.map(({ number, certificate }) => {
      const context = this.sealers.take('join', certificate);
      const box = epoch === null ? undefined : context?.seal(entry.hash, epochPlaintext(epoch));
      return { candidate: number, box: box ?? kNoBytes };
    });
    return create(AppendEntrySchema, { request, entry: entry.object, boxes, joinBoxes });
  }

  /** What was written of an entry that has come, be it on its way or given up; null of others'. */
  returned(entry: Entry): InFlight | null {
    const name = toHex(entry.hash);
    const givenUp = this.#givenUp.get(name);
    if (givenUp !== undefined) {
      this.#givenUp.delete(name);
      return givenUp;
    }
    const inFlight = this.#inFlight;
    if (inFlight === null || !equal(inFlight.entry.hash, entry.hash)) return null;
    this.#inFlight = null;
    return inFlight;
  }

  /** Somebody else's entry has taken the place. What was written, to be written again. */
  overtaken(n: bigint): InFlight | null {
    const inFlight = this.#inFlight;
    if (inFlight === null || inFlight.entry.body.n > n) return null;
    this.#inFlight = null;
    return inFlight;
  }

  /** Somebody else was faster: waits for what they wrote. */
  conflict(nowMs: number, request: number): void {
    if (this.#inFlight?.request !== request) return;
    this.#inFlight.conflict = true;
    this.#inFlight.endsMs = nowMs + kConflictMs;
  }

  refused(request: number): InFlight | null {
    const inFlight = this.#inFlight;
    if (inFlight?.request !== request) return null;
    this.#inFlight = null;
    return inFlight;
  }

  /** What was not returned in time; it may come back after all. */
  expired(nowMs: number): InFlight | null {
    const inFlight = this.#inFlight;
    if (inFlight === null || inFlight.endsMs > nowMs) return null;
    this.#inFlight = null;
    this.#giveUp(inFlight);
    return inFlight;
  }

  #giveUp(inFlight: InFlight): void {
    this.#givenUp.set(toHex(inFlight.entry.hash), inFlight);
    for (const name of this.#givenUp.keys()) {
      if (this.#givenUp.size <= kMaxGivenUp) break;
      this.#givenUp.delete(name);
    }
  }
}

/** Whom a fresh epoch of this entry is for. */
function rosterAfter(log: LogState, body: LogEntry): Certificate[] {
  const members = new Map(log.roster().map((member) => [toHex(member.leafHash), member]));
  for (const { op } of body.ops) {
    if (op.case === 'depart' || op.case === 'eject') members.delete(toHex(op.value.leaf));
    if (op.case !== 'admit' || op.value.certificate === undefined) continue;
    const certificate = parseCertificate(log.fingerprint, op.value.certificate);
    if (typeof certificate === 'string') continue;
    const replaced = log.memberOf(certificate.identity);
    if (replaced !== null) members.delete(toHex(replaced.leafHash));
    members.set(toHex(certificate.leafHash), certificate);
  }
  return [...members.values()].sort((left, right) => compare(left.leafHash, right.leafHash));
}
