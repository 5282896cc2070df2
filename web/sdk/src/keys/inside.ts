// A member that was let in: follows the log, keeps the epochs, and on the stage does its client's duties.

import { Role } from '../gen/alcove/v1/common_pb';
import { Advance, RefuseCandidate_Reason as Reason } from '../gen/alcove/v1/keys_pb';
import type {
  AppendRefused,
  DeliveredEntry,
  KeeperTask,
  MemberBox,
  RosterPart,
} from '../gen/alcove/v1/keys_pb';
import { Advancing } from './advancing';
import type { Arrival } from './advancing';
import { EntryEffects } from './entry_effects';
import { Candidates } from './candidates';
import type { Command } from './commands';
import type { EpochChain } from './epoch_chain';
import { equal } from './bytes';
import { Exposed } from './exposed';
import { Follower } from './follower';
import type { Applied } from './follower';
import { Keeper } from './keeper';
import type { LogRecord } from './log_record';
import type { LogState } from './log_state';
import type { Change } from './log_types';
import type { Entry } from './objects';
import type { Plan, Situation } from './plan';
import { RosterRequests } from './roster_requests';
import { SealerPool } from './sealers';
import { toServer } from './shared';
import type { CommandResult, Shared } from './shared';
import type { InFlight } from './writer';
import { Writer } from './writer';

export interface Entered {
  log: LogState;
  epochs: EpochChain;
  record: LogRecord;
  writer: Writer;
  sealers: SealerPool;
  /** Entries that were applied before. */
  known: Entry[];
}

export class Inside {
  readonly follower: Follower;
  readonly record: LogRecord;
  readonly advancing: Advancing;
  readonly #effects: EntryEffects;
  readonly #candidates: Candidates;
  readonly #keeper: Keeper;
  readonly #writer: Writer;
  readonly #sealers: SealerPool;
  readonly #rosters: RosterRequests;
  readonly #exposed = new Exposed();
  #connected = true;
  #stopped = false;
  #out = false;
  #workMs = 0;
  #seat = 0;

  constructor(
    private readonly shared: Shared,
    entered: Entered,
  ) {
    const leaf = shared.own.certificate.leafHash;
    this.follower = new Follower(entered.log, leaf);
    for (const entry of entered.known) this.follower.remember(entry);
    this.record = entered.record;
    this.#writer = entered.writer;
    this.#sealers = entered.sealers;
    this.advancing = new Advancing(shared, entered.epochs);
    this.#effects = new EntryEffects(shared, this.advancing);
    this.#candidates = new Candidates(shared, this.follower, entered.epochs);
    this.#keeper = new Keeper(this.#candidates);
    this.#rosters = new RosterRequests(shared);
  }

  get log(): LogState {
    return this.follower.log;
  }

  /** The log does not go on here, or this join is over. */
  get over(): boolean {
    return this.#stopped || this.#out;
  }

  get out(): boolean {
    return this.#out;
  }

  get sealers(): SealerPool {
    return this.#sealers;
  }

  /** After the chain or the own resume was applied. */
  begin(nowMs: number, wallMs: number, arrival: Arrival): void {
    this.advancing.begin(nowMs, this.log, arrival);
    this.#follow(nowMs);
    this.#expectBoxes(null);
    this.#work(nowMs, wallMs);
  }

  maySend(nowMs: number): boolean {
    const { self } = this.follower;
    return !this.over && self !== null && this.advancing.maySend(nowMs);
  }

  handleConnected(nowMs: number): void {
    this.#connected = true;
    toServer(this.shared, 'have', { n: this.log.n });
    if (!this.over) this.advancing.reconnected(nowMs);
    this.#rosters.reconnected(nowMs);
  }

  handleDisconnected(): void {
    this.#connected = false;
  }

  handleDelivery(nowMs: number, wallMs: number, entries: readonly DeliveredEntry[]): void {
    for (const delivered of entries) {
      if (this.over) return;
      const followed = this.follower.receive(delivered.entry);
      if (followed.kind === 'stopped') this.#stop(nowMs, followed.code, followed.detail);
      if (followed.kind === 'applied') this.#applied(nowMs, followed, delivered.box);
    }
    this.#work(nowMs, wallMs);
  }

  handleTask(nowMs: number, wallMs: number, { task }: KeeperTask): void {
    if (this.over || this.follower.self === null) return;
    switch (task.case) {
      case 'admit':
        this.#candidates.add(task.value);
        break;
      case 'depart':
        this.#keeper.depart(task.value.leaf);
        break;
      case 'giveStage':
        this.#keeper.giveStage(task.value.leaf);
        break;
      case 'rebox':
        this.#rebox(task.value.leaf);
        break;
      case undefined:
        break;
    }
    this.#work(nowMs, wallMs);
  }

  handleRoster(nowMs: number, wallMs: number, part: RosterPart): void {
    if (part.first === 0) this.follower.beginRoster();
    const roster = this.#rosters.take(part);
    if (roster === null || this.over) return;
    const onStage = this.follower.self !== null;
    const { certificates, head } = roster;
    const good = onStage
      ? this.log.isFull || this.follower.adopt(certificates, head)
      : this.follower.checkRoster(certificates, head);
    if (!good) return;
    if (onStage) this.record.adopt(certificates, head);
    this.#expectBoxes(null);
    this.shared.events.push({ kind: 'changed' });
    this.#rosters.answer(certificates);
    this.#follow(nowMs);
    this.#work(nowMs, wallMs);
  }

  handleBox(nowMs: number, wallMs: number, box: MemberBox): void {
    if (this.over || !equal(box.leaf, this.shared.own.certificate.leafHash)) return;
    this.advancing.takeRebox(nowMs, box.box);
    this.#work(nowMs, wallMs);
  }

  handleRefused(nowMs: number, wallMs: number, refused: AppendRefused): void {
    if (refused.reason === 'log.conflict') {
      this.#writer.conflict(nowMs, refused.request);
    } else {
      const inFlight = this.#writer.refused(refused.request);
      if (inFlight !== null) this.#refused(nowMs, inFlight, refused.gone);
    }
    this.#work(nowMs, wallMs);
  }

  command(nowMs: number, wallMs: number, command: Command): void {
    const taken = !this.over && this.follower.self !== null && this.#keeper.command(command);
    if (!taken) this.#answer(command.id, this.over ? 'not_possible' : 'not_permitted');
    else this.#work(nowMs, wallMs);
  }

  allowStage(leaf: Uint8Array): void {
    this.#keeper.allowStage(leaf);
  }

  /** Answered by a "roster" event. */
  requestRoster(nowMs: number, id: number): void {
    if (this.log.isFull || this.over) {
      const certificates = this.over ? null : this.log.roster();
      this.shared.events.push({ kind: 'roster', id, certificates });
      return;
    }
    this.#rosters.request(nowMs, id, this.#connected);
  }

  handleTimeout(nowMs: number, wallMs: number): void {
    this.advancing.handleTimeout(nowMs, this.#connected && !this.over);
    if (this.over) return;
    if (this.#rosters.deadlineMs <= nowMs) this.#rosters.ask(nowMs, this.#connected);
    this.#checkExposed(nowMs);
    const expired = this.#writer.expired(nowMs);
    if (expired !== null) {
      if (expired.conflict) {
        this.#expose(nowMs, expired, 'overtaken');
      } else {
        this.shared.warnings.raise(nowMs, 'not_acknowledged');
        this.#giveUp(nowMs, expired, 'not_acknowledged');
      }
    }
    this.#work(nowMs, wallMs);
  }

  get deadlineMs(): number {
    if (this.over) return this.advancing.deadlineMs;
    return Math.min(
      this.advancing.deadlineMs,
      this.#rosters.deadlineMs,
      this.#writer.deadlineMs,
      this.#writer.inFlight === null ? this.#workMs : Infinity,
      this.#exposed.deadlineMs,
    );
  }

  #applied(nowMs: number, applied: Applied, box: Uint8Array): void {
    const { entry, entryClass } = applied;
    const written = this.#writer.returned(entry);
    this.#candidates.logChanged();
    this.record.add(entry, entryClass.authority || entryClass.resume);
    this.#out = this.#effects.applied(nowMs, applied, this.log, written) || this.#out;
    this.advancing.applied(nowMs, applied, this.log, box, written?.advance ?? null);
    if (written !== null) this.#settle(written);
    const overtaken = this.#writer.overtaken(entry.body.n);
    if (overtaken !== null) this.#expose(nowMs, overtaken, 'overtaken');
    if (entry.body.advance === Advance.FRESH) this.#exposed.clear();
    if (applied.gone.some(({ certificate }) => this.#isOwn(certificate.leafHash))) {
      this.record.leaveStage(this.advancing.epochs.newest, entry);
      for (const { id } of this.#keeper.clear()) this.#answer(id, 'not_possible');
    }
    if (this.#out) this.#leave();
    this.#follow(nowMs);
    this.#expectBoxes(applied.changes);
    this.shared.events.push({ kind: 'changed' });
  }

  /** Lets the frames and the queue follow the log. */
  #follow(nowMs: number): void {
    const { self, log } = this.follower;
    const leaves = new Map<number, Uint8Array>();
    for (const [seat, { certificate }] of log.stage) leaves.set(seat, certificate.leafHash);
    this.shared.frames.setHolders(leaves);
    const own = this.shared.own.certificate.leafHash;
    this.shared.frames.setOwn(self === null || this.over ? null : { seat: self.seat, leaf: own });
    if (self !== null && !log.isFull && !this.#rosters.waits) {
      this.#rosters.ask(nowMs, this.#connected);
    }
    if (self !== null && log.isFull) this.#keeper.prune(log);
    const seat = self?.seat ?? 0;
    if (seat !== this.#seat && seat !== 0) this.advancing.duties.seated(nowMs);
    this.#seat = seat;
  }

  /** Whom the next fresh epoch is for. */
  #expectBoxes(changes: readonly Change[] | null): void {
    if (this.follower.self === null || !this.log.isFull) {
      this.#sealers.expect([]);
      return;
    }
    if (changes === null) {
      this.#sealers.expect(this.log.roster().filter((member) => !this.#isOwn(member.leafHash)));
    }
    for (const change of changes ?? []) {
      if (change.kind === 'departed') this.#sealers.remove(change.leaf);
      if (change.kind !== 'admitted') continue;
      if (change.replaced !== null) this.#sealers.remove(change.replaced);
      if (!this.#isOwn(change.certificate.leafHash)) this.#sealers.add(change.certificate);
    }
  }

  #work(nowMs: number, wallMs: number): void {
    this.#workMs = Infinity;
    const { self, log } = this.follower;
    if (this.over || self === null || !log.isFull || !this.#connected) return;
    const situation: Situation = {
      ...{ nowMs, wallMs, log, seat: self.seat, moderator: self.role === Role.MODERATOR },
      ...{ duties: this.advancing.duties, epochs: this.advancing.epochs },
      own: this.shared.own.certificate.leafHash,
      sealers: this.#sealers,
      exposed: this.#exposed,
      random: this.shared.random,
      link: this.shared.link,
    };
    while (this.#writer.inFlight === null && this.#workMs === Infinity) {
      const next = this.#keeper.compose(situation);
      if (typeof next === 'number') this.#workMs = next;
      else this.#write(next, situation);
      if (next === Infinity) return;
    }
  }

  #write(plan: Plan, situation: Situation): void {
    const nothing = plan.command !== null && plan.ops.length === 0;
    const message = nothing ? 'not_permitted' : this.#writer.write(plan, situation);
    if (typeof message !== 'string') {
      toServer(this.shared, 'append', message);
      this.#keeper.written(situation.nowMs, plan);
      return;
    }
    this.#keeper.giveUp(plan);
    if (plan.command !== null) this.#answer(plan.command.id, 'not_permitted');
    for (const { number } of plan.candidates) this.#candidates.refuse(number, Reason.CANNOT_CHECK);
    const duty = plan.command === null && plan.ops.length === 0;
    if (duty) this.#keeper.pause(situation.nowMs);
  }

  #settle({ plan }: InFlight): void {
    this.#keeper.settle(plan);
    this.shared.warnings.end('not_acknowledged');
    this.shared.warnings.end('clock_ahead');
    if (plan.command !== null) this.#answer(plan.command.id, 'done');
  }

  /** Without those who wait no longer it is written again; where none of them is in it, it is over. */
  #refused(nowMs: number, inFlight: InFlight, gone: readonly number[]): void {
    if (this.#keeper.dropGone(inFlight.plan, gone)) this.#expose(nowMs, inFlight, 'overtaken');
    else this.#giveUp(nowMs, inFlight, 'refused');
  }

  /** It will not be written again by itself. */
  #giveUp(nowMs: number, inFlight: InFlight, result: CommandResult): void {
    this.#keeper.giveUp(inFlight.plan);
    this.#keeper.pause(nowMs);
    this.#expose(nowMs, inFlight, 'failed');
    const { command } = inFlight.plan;
    if (command !== null) this.#answer(command.id, result);
  }

  /** The server holds boxes of the epoch in use that no entry tells of. */
  #expose(nowMs: number, { plan, advance }: InFlight, how: 'failed' | 'overtaken'): void {
    if (advance !== null) return;
    for (const { certificate } of plan.candidates) {
      this.#exposed[how](nowMs, certificate.leafHash);
    }
  }

  #checkExposed(nowMs: number): void {
    const due = this.#exposed.takeDue(nowMs);
    const outside = due.some((leaf) => this.log.member(leaf) === null);
    if (outside) this.advancing.duties.wantFresh('lost-box', nowMs, 0);
  }

  #rebox(leaf: Uint8Array): void {
    const receiver = this.log.member(leaf);
    if (receiver === null) return;
    const box = this.advancing.epochs.makeRebox(receiver, this.#sealers);
    if (box !== null) toServer(this.shared, 'box', { leaf, box });
  }

  #stop(nowMs: number, code: 'fork' | 'failed_check', detail: string): void {
    this.#stopped = true;
    this.shared.warnings.raise(nowMs, code, '', detail);
    this.#leave();
    this.#follow(nowMs);
    this.shared.events.push({ kind: 'changed' });
  }

  #leave(): void {
    for (const { id } of this.#keeper.clear()) this.#answer(id, 'not_possible');
    this.#rosters.answer(null);
    if (this.#out) this.shared.events.push({ kind: 'out' });
  }

  #answer(id: number, result: CommandResult): void {
    if (id !== 0) this.shared.events.push({ kind: 'answer', id, result });
  }

  #isOwn(leaf: Uint8Array): boolean {
    return equal(leaf, this.shared.own.certificate.leafHash);
  }
}
