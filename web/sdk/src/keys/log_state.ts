// What a room's log says so far: who is in, on the stage, moderator, blocked, locked. A pure state
// machine (docs/protocol/room-keys.md, "The log"). Mirrors src/roomlog/log_state.h.

import { create } from '@bufbuild/protobuf';
import { Advance, LogEntrySchema } from '../gen/alcove/v1/keys_pb';
import type { LogEntry, LogOp } from '../gen/alcove/v1/keys_pb';
import { entryFieldsAreValid, kMaxAuthorityEntries, kMaxEntryBody } from './bounds';
import { equal } from './bytes';
import { ed25519Verify } from './crypto';
import { isAuthority, isShort } from './log_types';
import type { Change, EntryClass, Follow, LogError, StageMember } from './log_types';
import { claimedIdentity, entryBytes, parseCertificate, signedBytes } from './objects';
import type { Certificate, Entry, Genesis } from './objects';
import { OpTrial } from './op_trial';
import { Roster, RosterView } from './roster';
import { StageState } from './stage_state';

/** What a valid entry makes of the state. */
interface Outcome {
  entryClass: EntryClass;
  stageState: StageState;
  roster: RosterView;
  rosterHash: Uint8Array;
  stageHash: Uint8Array;
  changes: Change[];
}

/** For a new entry; what is left out is filled in. */
export interface DraftOptions {
  /** Leaf hash. */
  author: Uint8Array;
  ops: LogOp[];
  advance: Advance;
  resume?: boolean;
  timeMs: bigint;
}

export class LogState {
  readonly genesis: Genesis;
  #stageState = new StageState();
  /** Null: short or chain. */
  #roster: Roster | null = new Roster();
  #rosterSize = 0;
  #rosterHash = new Roster().hash();
  #n = 0n;
  #epoch = 0;
  #timeMs = 0n;
  #last: Uint8Array;
  #lastShort: Uint8Array;
  #lastAuthority: Uint8Array;
  #authorityEntries = 0;

  /** Before the first entry; full. */
  constructor(genesis: Genesis) {
    this.genesis = genesis;
    this.#last = genesis.fingerprint;
    this.#lastShort = genesis.fingerprint;
    this.#lastAuthority = genesis.fingerprint;
    this.#stageState.authority.add(genesis.host);
  }

  clone(): LogState {
    const copy = this.#withoutRoster();
    copy.#roster = this.#roster?.clone() ?? null;
    return copy;
  }

  /**
   * Checks the entry and applies it. On an error nothing is changed. Short and chain take the roster away;
   * full needs it.
   */
  apply(entry: Entry, follow: Follow): Change[] | LogError {
    const outcome = this.#evaluate(entry, follow);
    if (typeof outcome === 'string') return outcome;
    this.#stageState = outcome.stageState;
    if (follow === 'full') this.#roster?.commit(outcome.roster.changes());
    else this.#roster = null;
    this.#move(entry);
    if (isAuthority(outcome.entryClass)) {
      this.#lastAuthority = entry.hash;
      ++this.#authorityEntries;
    }
    if (isShort(outcome.entryClass)) {
      this.#lastShort = entry.hash;
      this.#noteEntryOf(entry.body.author);
    }
    return outcome.changes;
  }

  /** The same without applying. */
  check(entry: Entry, follow: Follow): LogError | null {
    const outcome = this.#evaluate(entry, follow);
    return typeof outcome === 'string' ? outcome : null;
  }

  /**
   * Becomes full: the certificates in the order of their leaf hashes, as of the entry head, which is newer
   * than or the same as the last applied and by its prev_short follows it.
   */
  adoptRoster(certificates: readonly Certificate[], head: Entry): LogError | null {
    const next = this.#withoutRoster();
    if (!equal(head.hash, this.#last)) {
      const changes = next.apply(head, 'short');
      if (typeof changes === 'string') return changes;
    }
    const roster = next.#checkRoster(certificates);
    if (typeof roster === 'string') return roster;
    this.#assign(next);
    this.#roster = roster;
    return null;
  }

  get isFull(): boolean {
    return this.#roster !== null;
  }

  /** Forgets the roster: from here on in short. */
  forgetRoster(): void {
    this.#roster = null;
  }

  /**
   * A new entry with these ops, which are checked: n, prev links, epoch, roster and stage hashes and time
   * (not smaller than the last entry's) are filled in. Only when full.
   */
  draft({ author, ops, advance, resume = false, timeMs }: DraftOptions): LogEntry | LogError {
    if (this.#roster === null) return 'wrong_state';
    const body = create(LogEntrySchema, {
      n: this.#n + 1n,
      prev: this.#last,
      prevShort: this.#lastShort,
      prevAuthority: this.#lastAuthority,
      author,
      epoch: this.#epoch + (advance === Advance.NONE ? 0 : 1),
      rosterHash: this.#rosterHash,
      stageHash: this.stageHash(),
      timeMs: timeMs > this.#timeMs ? timeMs : this.#timeMs,
      advance,
      ops,
      resume,
    });
    if (!entryFieldsAreValid(body)) return 'not_permitted';
    const key = this.#authorKey(body);
    if (typeof key === 'string') return key;
    const outcome = this.#tryOps(body, 'full');
    if (typeof outcome === 'string') return outcome;
    body.rosterSize = outcome.roster.size;
    body.rosterHash = outcome.rosterHash;
    body.stageHash = outcome.stageHash;
    return entryBytes(body).length > kMaxEntryBody ? 'not_permitted' : body;
  }

  /** By the state before the entry. */
  classOf(body: LogEntry): EntryClass {
    const advance = body.advance !== Advance.NONE;
    return {
      authority: body.ops.some((op) => this.#isAuthorityOp(op)),
      advance,
      beat: body.ops.length === 0 && !advance,
      resume: body.resume,
    };
  }

  get fingerprint(): Uint8Array {
    return this.genesis.fingerprint;
  }

  get n(): bigint {
    return this.#n;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** time_ms of the last entry. */
  get timeMs(): bigint {
    return this.#timeMs;
  }

  /** Hash of the last entry of any class; in short and chain: of the last applied. */
  get last(): Uint8Array {
    return this.#last;
  }

  get lastShort(): Uint8Array {
    return this.#lastShort;
  }

  get lastAuthority(): Uint8Array {
    return this.#lastAuthority;
  }

  get authorityEntries(): number {
    return this.#authorityEntries;
  }

  /** By seat, in ascending order. */
  get stage(): ReadonlyMap<number, StageMember> {
    return this.#stageState.stage;
  }

  onStage(leaf: Uint8Array): StageMember | null {
    return this.#stageState.findLeaf(leaf);
  }

  identityOnStage(identity: Uint8Array): StageMember | null {
    return this.#stageState.findIdentity(identity);
  }

  atSeat(seat: number): StageMember | null {
    return this.#stageState.stage.get(seat) ?? null;
  }

  hasAuthority(identity: Uint8Array): boolean {
    return this.#stageState.authority.has(identity);
  }

  isBlocked(identity: Uint8Array): boolean {
    return this.#stageState.blocked.has(identity);
  }

  isInvited(identity: Uint8Array): boolean {
    return this.#stageState.invited.has(identity);
  }

  get locked(): boolean {
    return this.#stageState.locked;
  }

  get linkVoid(): boolean {
    return this.#stageState.linkVoid;
  }

  get linkGeneration(): number {
    return this.#stageState.linkGeneration;
  }

  nextFreeSeat(): number | null {
    return this.#stageState.seats.nextFree();
  }

  /** As of the last entry, also without the roster. */
  get rosterSize(): number {
    return this.#rosterSize;
  }

  /** In the order of leaf hashes; empty when not full. */
  roster(): Certificate[] {
    return this.#roster?.certificates() ?? [];
  }

  /** Null also when not full. */
  member(leaf: Uint8Array): Certificate | null {
    return this.#roster?.find(leaf) ?? null;
  }

  /** Null also when not full. */
  memberOf(identity: Uint8Array): Certificate | null {
    return this.#roster?.findIdentity(identity) ?? null;
  }

  /** As of the last entry, also without the roster. */
  get rosterHash(): Uint8Array {
    return this.#rosterHash;
  }

  stageHash(): Uint8Array {
    return this.#stageState.hash();
  }

  #evaluate(entry: Entry, follow: Follow): Outcome | LogError {
    const { body } = entry;
    if (follow === 'full' && this.#roster === null) return 'wrong_state';
    if (!this.#linksFollow(body, follow)) return 'fork';
    if (!this.#numbersFollow(body, follow)) return 'wrong_state';
    const error = this.#checkAuthor(entry);
    if (error !== null) return error;
    const outcome = this.#tryOps(body, follow);
    if (typeof outcome === 'string') return outcome;
    const rosterIsRight =
      follow !== 'full' ||
      (body.rosterSize === outcome.roster.size && equal(body.rosterHash, outcome.rosterHash));
    return rosterIsRight && equal(body.stageHash, outcome.stageHash) ? outcome : 'wrong_state';
  }

  #linksFollow(body: LogEntry, follow: Follow): boolean {
    return (
      equal(body.prevAuthority, this.#lastAuthority) &&
      (follow === 'chain' || equal(body.prevShort, this.#lastShort)) &&
      (follow !== 'full' || equal(body.prev, this.#last))
    );
  }

  #numbersFollow(body: LogEntry, follow: Follow): boolean {
    const next = this.#n + 1n;
    const nIsRight = follow === 'full' || this.#n === 0n ? body.n === next : body.n >= next;
    const least = this.#epoch + (body.advance === Advance.NONE ? 0 : 1);
    // A chain leaves out entries with an advance.
    const epochIsRight = follow === 'chain' ? body.epoch >= least : body.epoch === least;
    return nIsRight && epochIsRight && body.timeMs >= this.#timeMs;
  }

  /** The key that signs this entry. */
  #authorKey(body: LogEntry): Uint8Array | LogError {
    if (!body.resume) return this.onStage(body.author)?.certificate.leaf ?? 'bad_author';
    const op = body.ops[0]?.op;
    if (op?.case !== 'admit' || op.value.certificate === undefined) return 'bad_certificate';
    const certificate = parseCertificate(this.fingerprint, op.value.certificate);
    if (typeof certificate === 'string') return 'bad_certificate';
    const { leafHash, identity } = certificate;
    return equal(leafHash, body.author) && this.hasAuthority(identity) ? identity : 'bad_author';
  }

  #checkAuthor({ body, object }: Entry): LogError | null {
    const key = this.#authorKey(body);
    if (typeof key === 'string') return key;
    const type = body.resume ? 'resume' : 'entry';
    const message = signedBytes(type, this.fingerprint, object.body, object.confirm);
    return ed25519Verify(key, message, object.signature) ? null : 'bad_signature';
  }

  /** What the ops yield, tried beside the state; its links and hashes are not compared. */
  #tryOps(body: LogEntry, follow: Follow): Outcome | LogError {
    const entryClass = this.classOf(body);
    if (isAuthority(entryClass) && this.#authorityEntries >= kMaxAuthorityEntries) {
      return 'log_full';
    }
    const roster = new RosterView(follow === 'full' ? this.#roster : null);
    const trial = new OpTrial(this.genesis, this.#stageState, roster, body);
    const error = trial.apply();
    if (error !== null) return error;
    return {
      entryClass,
      stageState: trial.state,
      roster,
      rosterHash: roster.isChanged ? roster.hash() : this.#rosterHash,
      stageHash: trial.state.hash(),
      changes: trial.changes,
    };
  }

  #isAuthorityOp({ op }: LogOp): boolean {
    if (op.case === 'depart') return this.onStage(op.value.leaf) !== null;
    if (op.case !== 'admit' || op.value.seat !== 0) return true;
    const identity = claimedIdentity(op.value.certificate);
    return identity !== null && this.#stageState.findIdentity(identity) !== null;
  }

  #checkRoster(certificates: readonly Certificate[]): Roster | LogError {
    if (certificates.length !== this.#rosterSize) return 'wrong_state';
    const roster = Roster.ofOrdered(certificates);
    if (typeof roster === 'string') return roster;
    for (const { certificate } of this.stage.values()) {
      if (roster.find(certificate.leafHash) === null) return 'wrong_state';
    }
    return equal(roster.hash(), this.#rosterHash) ? roster : 'wrong_state';
  }

  #withoutRoster(): LogState {
    const copy = new LogState(this.genesis);
    copy.#assign(this);
    copy.#stageState = this.#stageState.clone();
    copy.#roster = null;
    return copy;
  }

  /** All but the roster. */
  #assign(other: LogState): void {
    this.#stageState = other.#stageState;
    this.#rosterSize = other.#rosterSize;
    this.#rosterHash = other.#rosterHash;
    this.#n = other.#n;
    this.#epoch = other.#epoch;
    this.#timeMs = other.#timeMs;
    this.#last = other.#last;
    this.#lastShort = other.#lastShort;
    this.#lastAuthority = other.#lastAuthority;
    this.#authorityEntries = other.#authorityEntries;
  }

  #move({ body, hash }: Entry): void {
    this.#n = body.n;
    this.#epoch = body.epoch;
    this.#timeMs = body.timeMs;
    this.#last = hash;
    this.#rosterSize = body.rosterSize;
    this.#rosterHash = body.rosterHash;
  }

  #noteEntryOf(author: Uint8Array): void {
    const member = this.onStage(author);
    if (member !== null) this.#stageState.set({ ...member, lastEntryMs: this.#timeMs });
  }
}
