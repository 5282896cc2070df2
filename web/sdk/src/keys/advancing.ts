// Epochs as entries bring them, freshness, and what frames say: whether this client may send, and what it
// has to tell.

import { Role } from '../gen/alcove/v1/common_pb';
import { Advance } from '../gen/alcove/v1/keys_pb';
import { equal } from './bytes';
import { Duties, kRatchetAfterMs } from './duties';
import type { EpochChain, OwnAdvance } from './epoch_chain';
import type { Applied } from './follower';
import { FrameEpochs } from './frame_epochs';
import { FrameWatch } from './frame_watch';
import type { OpenResult } from './frames';
import type { LogState } from './log_state';
import { isShort } from './log_types';
import { hasAdvance } from './objects';
import type { Entry } from './objects';
import { toServer } from './shared';
import type { Shared } from './shared';

const kAskBoxMs = 2_000;
const kLackingMs = 2_000;
/** A joiner counts what it came into as no older than this. */
const kJoinAgeMs = 5_000;

/** What a client came into. */
export interface Arrival {
  /** The newest entry with an advance. */
  newest: Entry;
  head: Entry;
  /** Age of the newest advance, by its author's clock. */
  agoMs: number;
  /** The newest advance is in the entry that let this client in, or is its resume: it is of now. */
  cameWith: boolean;
}

export class Advancing {
  readonly duties = new Duties();
  readonly watch = new FrameWatch();
  readonly #frameEpochs: FrameEpochs;
  #askBoxMs = Infinity;
  #names = new Map<number, string>();

  constructor(
    private readonly shared: Shared,
    readonly epochs: EpochChain,
  ) {
    this.#frameEpochs = new FrameEpochs(shared.frames);
  }

  begin(nowMs: number, log: LogState, { newest, head, agoMs, cameWith }: Arrival): void {
    const seatOf = (entry: Entry) => log.onStage(entry.body.author)?.seat ?? 0;
    const beat = head.body.ops.length === 0 && !hasAdvance(head);
    const ageMs = Math.min(kJoinAgeMs, Math.max(0, agoMs));
    this.duties.fresh(beat ? nowMs : nowMs - ageMs);
    const resumed = newest.body.resume && this.#isOwn(newest);
    this.duties.beginTurns(nowMs, resumed ? seatOf(newest) : 0, resumed);
    const fresh = newest.body.advance === Advance.FRESH;
    // Its author's clock may run ahead: it does not keep a joiner from what was sent before.
    this.duties.advanced(nowMs, fresh, cameWith ? 0 : Math.max(kRatchetAfterMs, agoMs));
    const { current } = this.epochs;
    if (current !== null) this.#frameEpochs.begin(current);
    else this.#missing(nowMs, seatOf(newest));
    this.#note(log);
  }

  /** The connection is there again. */
  reconnected(nowMs: number): void {
    if (this.#askBoxMs !== Infinity) this.#askBox(nowMs, true);
  }

  applied(
    nowMs: number,
    applied: Applied,
    log: LogState,
    box: Uint8Array,
    own: OwnAdvance | null,
  ): void {
    const { entry, entryClass, author } = applied;
    const writer = log.onStage(entry.body.author) ?? author;
    const seat = writer?.seat ?? 0;
    if (isShort(entryClass)) {
      this.duties.shortEntry(nowMs, seat, this.#isOwn(entry));
      this.watch.wrote(nowMs, seat);
      if (writer !== null) this.#sameLog(writer.certificate.displayName);
    }
    if (entryClass.beat) {
      const moderator = writer?.role === Role.MODERATOR;
      const missing = this.duties.beat(nowMs, seat, moderator, [...log.stage.keys()]);
      for (const other of missing) this.#notSameLog(nowMs, other, 'misses its turns');
    }
    if (entryClass.advance) this.duties.fresh(nowMs);
    if (entryClass.resume) this.duties.beginTurns(nowMs, seat, true);
    if (entryClass.advance || entryClass.beat) this.shared.warnings.end('stale');
    if (entryClass.advance) this.#advance(nowMs, entry, box, own, seat);
    for (const member of applied.gone) {
      this.duties.seatEmptied(member.seat);
      this.#sameLog(member.certificate.displayName);
    }
    this.#note(log);
  }

  takeRebox(nowMs: number, box: Uint8Array): void {
    const epoch = this.epochs.takeRebox(box);
    if (epoch === null) return;
    this.#askBoxMs = Infinity;
    this.watch.announced();
    this.duties.dropFresh('lacking');
    this.#frameEpochs.supply(nowMs, epoch);
    this.#tell(nowMs);
  }

  /** What became of a frame that came in. */
  frame(nowMs: number, result: OpenResult): void {
    if (result.kind === 'opened') {
      const mended = this.watch.opened(nowMs, result.seat);
      const name = this.#names.get(result.seat);
      if (mended && name !== undefined) this.#sameLog(name);
    } else if (result.kind === 'unknown-epoch') {
      this.watch.unknownEpoch(nowMs);
      if (this.watch.isUnknown(nowMs)) this.#tell(nowMs);
    } else if (result.kind === 'dropped' && result.reason === 'not_opened') {
      if (this.watch.failed(nowMs, result.seat)) {
        this.#notSameLog(nowMs, result.seat, 'frames do not open');
      }
    }
  }

  maySend(nowMs: number): boolean {
    return nowMs < this.duties.staleMs() && !this.#lacksEpoch(nowMs);
  }

  handleTimeout(nowMs: number, connected: boolean): void {
    this.#frameEpochs.handleTimeout(nowMs);
    this.watch.handleTimeout(nowMs);
    const [oldest] = this.shared.frames.liveEpochs();
    if (oldest !== undefined) this.epochs.drop(oldest);
    if (this.#askBoxMs <= nowMs) this.#askBox(nowMs, connected);
    this.#tell(nowMs);
  }

  get deadlineMs(): number {
    const staleMs = this.shared.warnings.has('stale') ? Infinity : this.duties.staleMs();
    return Math.min(this.#frameEpochs.deadlineMs, this.#askBoxMs, this.watch.deadlineMs, staleMs);
  }

  #advance(
    nowMs: number,
    entry: Entry,
    box: Uint8Array,
    own: OwnAdvance | null,
    seat: number,
  ): void {
    const fresh = entry.body.advance === Advance.FRESH;
    const eject = entry.body.ops.some(({ op }) => op.case === 'eject');
    // Who lacks the epoch before cannot follow a ratchet either, and must not send without it.
    const kind = { eject, required: fresh || this.epochs.current === null };
    const outcome = this.epochs.advance(entry, box, own?.fresh ?? null);
    this.duties.advanced(nowMs, fresh);
    this.watch.announced();
    const { current } = this.epochs;
    if (current !== null) {
      this.#askBoxMs = Infinity;
      this.#frameEpochs.advance(nowMs, current, kind);
      this.#tell(nowMs);
      return;
    }
    this.#frameEpochs.missing(nowMs, entry.body.epoch, kind);
    if (outcome === 'faulty') {
      const name = this.#names.get(seat) ?? '';
      this.shared.warnings.raise(nowMs, 'faulty_author', name, 'a confirm or a box is wrong');
    }
    this.#missing(nowMs, seat);
  }

  /** The newest epoch is not known here: somebody else may give it, or a fresh one comes in its place. */
  #missing(nowMs: number, seat: number): void {
    this.duties.wantFresh('lacking', nowMs + kLackingMs, seat);
    if (this.epochs.canAsk) this.#askBox(nowMs, true);
    this.#tell(nowMs);
  }

  #askBox(nowMs: number, connected: boolean): void {
    this.#askBoxMs = nowMs + kAskBoxMs;
    if (connected) toServer(this.shared, 'requestBox', {});
  }

  #lacksEpoch(nowMs: number): boolean {
    return this.#frameEpochs.stuck || this.watch.isUnknown(nowMs);
  }

  #tell(nowMs: number): void {
    const { warnings } = this.shared;
    if (nowMs >= this.duties.staleMs()) warnings.raise(nowMs, 'stale');
    else warnings.end('stale');
    if (this.#lacksEpoch(nowMs)) warnings.raise(nowMs, 'unknown_epoch');
    else warnings.end('unknown_epoch');
  }

  #notSameLog(nowMs: number, seat: number, detail: string): void {
    const name = this.#names.get(seat);
    if (name === undefined) return;
    const known = this.shared.warnings.list();
    if (known.some((other) => other.code === 'not_same_log' && other.name === name)) return;
    this.shared.warnings.raise(nowMs, 'not_same_log', name, detail);
    this.duties.wantFresh('left', nowMs, seat);
  }

  #sameLog(name: string): void {
    this.shared.warnings.end('not_same_log', name);
  }

  /** Names and seats as the log has them now. */
  #note(log: LogState): void {
    const names = new Map<number, string>();
    for (const [seat, member] of log.stage) names.set(seat, member.certificate.displayName);
    for (const [seat, name] of this.#names) if (names.get(seat) !== name) this.watch.forget(seat);
    this.#names = names;
  }

  #isOwn({ body }: Entry): boolean {
    return equal(body.author, this.shared.own.certificate.leafHash);
  }
}
