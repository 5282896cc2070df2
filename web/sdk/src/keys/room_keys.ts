// A member's side of room keys (docs/protocol/room-keys.md): join, the log, epochs, the duties of a stage
// member's client, resume, catching up, and the keys of frames. Told the time (`nowMs` monotonic, `wallMs`
// of the clock) and what came; the caller sends takeMessages() and heeds takeEvents(). Mirrors
// src/e2ee/room_keys.h.

import { create } from '@bufbuild/protobuf';
import { RoomKind } from '../gen/alcove/v1/common_pb';
import { Advance, JoinKeysSchema } from '../gen/alcove/v1/keys_pb';
import type {
  Admitted,
  JoinKeys,
  KeysFromClient,
  KeysFromServer,
  LogChain,
  LogExport,
} from '../gen/alcove/v1/keys_pb';
import { equal, kNoBytes } from './bytes';
import type { RandomSource } from './crypto';
import type { Want } from './commands';
import { EpochChain } from './epoch_chain';
import { KeyedFrames } from './frames';
import type { OpenResult } from './frames';
import { Inside } from './inside';
import { draftResume, isEmpty, walkAdmitted } from './joining';
import type { Resume } from './joining';
import { linkMac } from './link';
import { LogRecord } from './log_record';
import type { LogState } from './log_state';
import { entryBytes, makeEntry, objectHash, signedBytes } from './objects';
import type { Entry, Genesis } from './objects';
import type { OwnAdvance } from './epoch_chain';
import type { OwnLeaf } from './own_leaf';
import { RosterParts } from './roster_parts';
import type { WholeRoster } from './roster_parts';
import { SealerPool } from './sealers';
import { toServer } from './shared';
import type { KeyEvent, LinkState, Shared } from './shared';
import type { KeyWarning } from './view';
import { Warnings } from './warnings';
import { Writer } from './writer';

/** What an earlier join of the same visit knew. */
export interface EarlierJoin {
  /** Which link's the secret is, where that was known beyond doubt. */
  linkGeneration: number | null;
  /** This identity has been in the room: that it is let in again says nothing of its link. */
  wasInside: boolean;
}

export const kNoEarlierJoin: EarlierJoin = { linkGeneration: null, wasInside: false };

export interface RoomKeysOptions extends EarlierJoin {
  /** Checked by the caller against the link, or taken from the server. */
  genesis: Genesis;
  own: OwnLeaf;
  linkSecret: Uint8Array | null;
  random: RandomSource;
}

/** A resume that waits for the identity's signature. */
interface PendingResume extends Resume {
  advance: OwnAdvance;
}

export class RoomKeys {
  readonly frames: KeyedFrames;
  readonly #shared: Shared;
  readonly #earlier: EarlierJoin;
  readonly #epochs: EpochChain;
  readonly #sealers: SealerPool;
  readonly #writer: Writer;
  readonly #parts: RosterParts;
  #inside: Inside | null = null;
  #chain: LogChain | null = null;
  #resume: PendingResume | null = null;
  #failed = false;

  constructor(options: RoomKeysOptions) {
    const { genesis, own, random } = options;
    this.#earlier = options;
    this.frames = new KeyedFrames(genesis.body.packetBucket);
    this.#shared = {
      ...{ genesis, own, random, frames: this.frames, messages: [], events: [] },
      warnings: new Warnings(),
      link: { secret: options.linkSecret, generation: 0, certain: false },
    };
    this.#epochs = new EpochChain(genesis.fingerprint, own);
    this.#sealers = new SealerPool(genesis.fingerprint, random);
    this.#writer = new Writer(own, this.#sealers, random);
    this.#parts = new RosterParts(genesis.fingerprint);
  }

  /** For the join request of this object's one join. */
  joinKeys(): JoinKeys {
    const { own, link, genesis } = this.#shared;
    const { object, leafHash } = own.certificate;
    const mac = link.secret ? linkMac(link.secret, genesis.fingerprint, leafHash) : kNoBytes;
    return create(JoinKeysSchema, { certificate: object, linkMac: mac });
  }

  /** After Hello. */
  handleConnected(nowMs: number): void {
    this.#inside?.handleConnected(nowMs);
  }

  handleDisconnected(): void {
    this.#inside?.handleDisconnected();
  }

  handleMessage(nowMs: number, wallMs: number, { message }: KeysFromServer): void {
    const inside = this.#inside;
    switch (message.case) {
      case 'waiting':
        this.#shared.events.push({ kind: 'waiting', reason: message.value.reason });
        break;
      case 'resume':
        this.#takeResumeChain(nowMs, wallMs, message.value);
        break;
      case 'admitted':
        this.#admitted(nowMs, wallMs, message.value);
        break;
      case 'delivery':
        inside?.handleDelivery(nowMs, wallMs, message.value.entries);
        break;
      case 'task':
        inside?.handleTask(nowMs, wallMs, message.value);
        break;
      case 'roster':
        if (inside !== null) inside.handleRoster(nowMs, wallMs, message.value);
        else this.#takeResumeRoster(wallMs, this.#parts.take(message.value));
        break;
      case 'box':
        inside?.handleBox(nowMs, wallMs, message.value);
        break;
      case 'appendRefused':
        if (message.value.reason === 'log.clock_ahead')
          this.#shared.warnings.raise(nowMs, 'clock_ahead');
        // Of a resume: somebody else was faster. This client is admitted as anybody.
        if (inside === null) this.#writer.refused(message.value.request);
        else inside.handleRefused(nowMs, wallMs, message.value);
        break;
      case undefined:
        break;
    }
  }

  /** The identity's signature of the "sign" event. */
  handleSigned(nowMs: number, signature: Uint8Array): void {
    const resume = this.#resume;
    if (resume === null || this.#inside !== null) return;
    const { log, body, advance } = resume;
    const entry = makeEntry(log.fingerprint, body, advance.confirm, () => signature);
    const boxes = advance.fresh ? this.#writer.freshBoxes(log, entry, advance.fresh) : kNoBytes;
    const plan = {
      ...{ ops: body.ops, advance: Advance.FRESH, candidates: [] },
      ...{ command: null, linkSecret: null },
    };
    const message = this.#writer.send(nowMs, plan, { entry, advance, boxes }, null);
    toServer(this.#shared, 'append', message);
  }

  handleTimeout(nowMs: number, wallMs: number): void {
    this.#shared.warnings.handleTimeout(nowMs);
    this.#inside?.handleTimeout(nowMs, wallMs);
  }

  /** When handleTimeout is to be called next. */
  get deadlineMs(): number {
    return Math.min(this.#shared.warnings.deadlineMs, this.#inside?.deadlineMs ?? Infinity);
  }

  takeMessages(): KeysFromClient[] {
    return this.#shared.messages.splice(0);
  }

  takeEvents(): KeyEvent[] {
    const { warnings, events } = this.#shared;
    if (warnings.takeChanged()) events.push({ kind: 'changed' });
    return events.splice(0);
  }

  /** Becomes a log entry; answered by an "answer" event with this id, which is not 0. */
  command(nowMs: number, wallMs: number, id: number, want: Want): void {
    if (this.#inside === null) {
      this.#shared.events.push({ kind: 'answer', id, result: 'not_possible' });
    } else {
      this.#inside.command(nowMs, wallMs, { id, want });
    }
  }

  /** Remembers that this leaf may be given a seat when it accepts. */
  allowStage(leaf: Uint8Array): void {
    this.#inside?.allowStage(leaf);
  }

  /** Answered by a "roster" event. */
  requestRoster(nowMs: number, id: number): void {
    if (this.#inside !== null) this.#inside.requestRoster(nowMs, id);
    else this.#shared.events.push({ kind: 'roster', id, certificates: null });
  }

  /** What became of a frame that came in. */
  noteFrame(nowMs: number, result: OpenResult): void {
    this.#inside?.advancing.frame(nowMs, result);
  }

  /** A little of the work that can be done ahead. False where there is none. */
  prepareBox(): boolean {
    return this.#sealers.prepareNext();
  }

  get boxesPrepared(): boolean {
    return this.#sealers.idle;
  }

  get admitted(): boolean {
    return this.#inside !== null;
  }

  /** Whether own frames may leave: admitted, fresh, not forked, with a seat. */
  maySend(nowMs: number): boolean {
    return this.#inside?.maySend(nowMs) ?? false;
  }

  /** Nothing that comes is believed any more. */
  get failed(): boolean {
    return this.#failed || (this.#inside !== null && this.#inside.over && !this.#inside.out);
  }

  /** Null before it is admitted. */
  get log(): LogState | null {
    return this.#inside?.log ?? null;
  }

  /** The own seat; 0 without one. */
  get seat(): number {
    return this.#inside?.over === false ? (this.#inside.follower.self?.seat ?? 0) : 0;
  }

  get own(): OwnLeaf {
    return this.#shared.own;
  }

  get genesis(): Genesis {
    return this.#shared.genesis;
  }

  get link(): Readonly<LinkState> {
    return this.#shared.link;
  }

  /** For the next join of the visit, with the secret of `link`. */
  get earlierJoin(): EarlierJoin {
    const { linkGeneration, wasInside } = this.#earlier;
    if (this.#inside === null) return { linkGeneration, wasInside };
    const { certain, generation } = this.#shared.link;
    return { linkGeneration: certain ? generation : null, wasInside: true };
  }

  get warnings(): KeyWarning[] {
    return this.#shared.warnings.list();
  }

  exportLog(): LogExport | null {
    return this.#inside?.record.toExport() ?? null;
  }

  #admitted(nowMs: number, wallMs: number, admitted: Admitted): void {
    if (this.#inside !== null || this.#failed) return;
    const own = this.#ownResume(admitted);
    if (own !== null) {
      this.#resumed(nowMs, wallMs, own);
      return;
    }
    const joined = walkAdmitted(this.#shared.genesis, this.#shared.own.certificate, admitted);
    if (typeof joined === 'string') {
      this.#fail(nowMs, joined === 'fork' ? 'fork' : 'failed_check', joined);
      return;
    }
    const { log, admit, newest, head, chain } = joined;
    if (!this.#epochs.join(admitted.box, admit, newest)) {
      // In the log, but without a key that fits it: somebody else on the stage may give it.
      const name = log.onStage(admit.body.author)?.certificate.displayName ?? '';
      const detail = 'the box is not of the newest epoch';
      this.#shared.warnings.raise(nowMs, 'faulty_author', name, detail);
    }
    const record = new LogRecord(this.#shared.genesis);
    record.begin(chain.authority, [chain.advance, head]);
    record.add(admit, joined.isAuthority);
    this.#enter(nowMs, wallMs, log, record, [newest, head, admit]);
  }

  /** The own resume, where the admit is it. */
  #ownResume({ admit, box }: Admitted): Entry | null {
    const inFlight = this.#writer.inFlight;
    if (this.#resume === null || inFlight === null || admit === undefined || box.length > 0) {
      return null;
    }
    if (!equal(objectHash(admit), inFlight.entry.hash)) return null;
    return this.#writer.returned(inFlight.entry)?.entry ?? null;
  }

  #resumed(nowMs: number, wallMs: number, entry: Entry): void {
    const resume = this.#resume;
    if (resume === null) return;
    const { log, authority, advance } = resume;
    const changes = log.apply(entry, 'full');
    const outcome = this.#epochs.advance(entry, kNoBytes, advance.fresh);
    if (typeof changes === 'string' || outcome !== 'good') {
      this.#fail(nowMs, 'failed_check', 'the resume does not follow');
      return;
    }
    const record = new LogRecord(this.#shared.genesis);
    record.begin([...authority, entry], []);
    record.adopt(log.n === 1n ? [] : log.roster(), entry);
    this.#enter(nowMs, wallMs, log, record, [entry, entry]);
  }

  #enter(
    nowMs: number,
    wallMs: number,
    log: LogState,
    record: LogRecord,
    known: [newest: Entry, head: Entry, ...others: Entry[]],
  ): void {
    this.#resume = null;
    this.#noteLink(log);
    const inside = new Inside(this.#shared, {
      ...{ log, record, known },
      epochs: this.#epochs,
      writer: this.#writer,
      sealers: this.#sealers,
    });
    this.#inside = inside;
    this.#shared.events.push({ kind: 'admitted' }, { kind: 'changed' });
    const [newest, head] = known;
    const agoMs = wallMs - Number(newest.body.timeMs);
    inside.begin(nowMs, wallMs, { newest, head, agoMs, cameWith: newest === known.at(-1) });
  }

  #noteLink(log: LogState): void {
    const { link, own } = this.#shared;
    const { identity, leafHash } = own.certificate;
    const { linkGeneration, wasInside } = this.#earlier;
    const closed = log.genesis.body.kind === RoomKind.CLOSED;
    // Who founds the room made the secret; who came into a closed room by the link showed it. Whoever has a
    // seat or was here before came in for that.
    const byLink =
      closed &&
      !wasInside &&
      log.onStage(leafHash) === null &&
      !log.isInvited(identity) &&
      !log.hasAuthority(identity);
    const known = linkGeneration === log.linkGeneration;
    link.generation = log.linkGeneration;
    link.certain = link.secret !== null && (log.n === 1n || byLink || known);
    // It may be that of an older link, whose owners are not to be let in. Of the first there is none.
    if (closed && !link.certain && log.linkGeneration > 0) link.secret = null;
  }

  #takeResumeChain(nowMs: number, wallMs: number, chain: LogChain): void {
    if (this.#inside !== null || this.#failed) return;
    this.#chain = chain;
    if (isEmpty(chain)) this.#takeResumeRoster(wallMs, { certificates: [], head: null });
    this.handleTimeout(nowMs, wallMs);
  }

  #takeResumeRoster(wallMs: number, roster: WholeRoster | 'more' | 'bad'): void {
    if (typeof roster === 'string' || this.#chain === null || this.#failed) return;
    const chain = this.#chain;
    this.#chain = null;
    const { genesis, own } = this.#shared;
    const resume = draftResume(genesis, own.certificate, chain, roster, wallMs);
    if (typeof resume === 'string') {
      this.#fail(0, resume === 'fork' ? 'fork' : 'failed_check', resume);
      return;
    }
    const advance = this.#writer.makeAdvance(resume.body, this.#epochs, true);
    if (advance === null) return;
    this.#resume = { ...resume, advance };
    const bytes = entryBytes(resume.body);
    const message = signedBytes('resume', genesis.fingerprint, bytes, advance.confirm);
    this.#shared.events.push({ kind: 'sign', message });
  }

  #fail(nowMs: number, code: 'fork' | 'failed_check', detail: string): void {
    this.#failed = true;
    this.#shared.warnings.raise(nowMs, code, '', detail);
    this.#shared.events.push({ kind: 'changed' });
  }
}
