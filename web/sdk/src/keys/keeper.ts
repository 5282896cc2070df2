// What a stage member's client has to write into the log, and in which order: what its person wants, what
// the control plane asks for, and what its rank obliges it to.

import { Role } from '../gen/alcove/v1/common_pb';
import { Advance } from '../gen/alcove/v1/keys_pb';
import type { AdmitTask, LogOp, RefuseCandidate_Reason as Reason } from '../gen/alcove/v1/keys_pb';
import { equal, toHex } from './bytes';
import { buildOp, built } from './commands';
import type { Command, OpContext } from './commands';
import type { Duties } from './duties';
import type { EpochChain } from './epoch_chain';
import type { Exposed } from './exposed';
import type { LogState } from './log_state';
import type { Certificate } from './objects';

export interface Candidate {
  number: number;
  /** What was asked: judged again when it is written. */
  task: AdmitTask;
  certificate: Certificate;
}

export interface Plan {
  ops: LogOp[];
  advance: Advance;
  /** Who gets a JoinBox. */
  candidates: Candidate[];
  command: Command | null;
  linkSecret: Uint8Array | null;
}

export interface Situation extends OpContext {
  nowMs: number;
  wallMs: number;
  seat: number;
  moderator: boolean;
  duties: Duties;
  epochs: EpochChain;
  exposed: Exposed;
}

const kEjectWindowMs = 300;
const kAdmitWindowMs = 150;
/** 16 are allowed, but each of a crowd gets the whole entry. */
const kMaxAdmits = 12;
const kMaxDeparts = 64;
const kSilentMs = 30_000;
/** A room has at most so many people; more tasks than that are no tasks. */
const kMaxQueued = 4096;

export class Keeper {
  #commands: Command[] = [];
  #candidates: Candidate[] = [];
  readonly #departs = new Map<string, Uint8Array>();
  readonly #allowed = new Set<string>();
  #ejectWindowMs = -Infinity;
  #admitWindowMs = -Infinity;

  /** False where there is no room for it. */
  command(command: Command): boolean {
    if (this.#commands.length >= kMaxQueued) return false;
    // Who leaves does not wait for anything else.
    if (command.want.kind === 'depart') this.#commands.unshift(command);
    else this.#commands.push(command);
    return true;
  }

  allowStage(leaf: Uint8Array): void {
    if (this.#allowed.size < kMaxQueued) this.#allowed.add(toHex(leaf));
  }

  /** A task for a leaf that this client did not invite is ignored. */
  giveStage(leaf: Uint8Array): void {
    if (!this.#allowed.has(toHex(leaf))) return;
    this.command({ id: 0, want: { kind: 'give-stage', leaf } });
  }

  admit(candidate: Candidate): void {
    this.#candidates = this.#candidates.filter(({ number }) => number !== candidate.number);
    if (this.#candidates.length < kMaxQueued) this.#candidates.push(candidate);
  }

  /** Takes out whom `judge` gives a reason against. */
  takeRefused(
    judge: (candidate: Candidate) => Certificate | Reason,
  ): { candidate: number; reason: Reason }[] {
    const refused: { candidate: number; reason: Reason }[] = [];
    this.#candidates = this.#candidates.filter((candidate) => {
      const verdict = judge(candidate);
      if (typeof verdict !== 'number') return true;
      refused.push({ candidate: candidate.number, reason: verdict });
      return false;
    });
    return refused;
  }

  depart(leaf: Uint8Array): void {
    if (this.#departs.size < kMaxQueued) this.#departs.set(toHex(leaf), leaf);
  }

  /** Takes out what the log has meanwhile, or cannot have any more. */
  prune(log: LogState): void {
    this.#candidates = this.#candidates.filter(
      ({ certificate: { leafHash, identity } }) =>
        log.member(leafHash) === null && !log.isBlocked(identity),
    );
    for (const [name, leaf] of this.#departs) {
      if (log.member(leaf) === null) this.#departs.delete(name);
    }
    const given = ({ want }: Command) =>
      want.kind === 'give-stage' && log.onStage(want.leaf) !== null;
    this.#commands = this.#commands.filter((command) => !given(command));
  }

  /** No longer on the stage: the duties are others'. The commands that are over. */
  clear(): Command[] {
    const commands = this.#commands;
    this.#commands = [];
    this.#candidates = [];
    this.#departs.clear();
    return commands;
  }

  /** The entry was ordered, or will not be written again. */
  settle(plan: Plan): void {
    this.#commands = this.#commands.filter((command) => command !== plan.command);
    const done = new Set(plan.candidates);
    this.#candidates = this.#candidates.filter((candidate) => !done.has(candidate));
    if (plan.command?.want.kind === 'give-stage') {
      this.#allowed.delete(toHex(plan.command.want.leaf));
    }
  }

  /** What cannot be written is given up: the commands among it. */
  giveUp(plan: Plan): void {
    this.settle(plan);
    for (const { op } of plan.ops) {
      if (op.case === 'depart') this.#departs.delete(toHex(op.value.leaf));
    }
  }

  /** What to write now, or the time when there may be something. */
  compose(situation: Situation): Plan | number {
    const waits: number[] = [];
    for (const next of [
      this.#composeCommand(situation),
      this.#composeStageDepart(situation),
      this.#composeAdmit(situation),
      this.#composeDeparts(situation),
      composeFresh(situation),
      composeBeat(situation),
    ]) {
      if (typeof next !== 'number') return next;
      waits.push(next);
    }
    return Math.min(...waits);
  }

  /** The entry with this plan is on its way. */
  written(nowMs: number, plan: Plan): void {
    if (plan.candidates.length > 0) this.#admitWindowMs = nowMs + kAdmitWindowMs;
    if (plan.command?.want.kind === 'eject' && plan.advance === Advance.FRESH) {
      this.#ejectWindowMs = nowMs + kEjectWindowMs;
    }
  }

  #composeCommand(situation: Situation): Plan | number {
    const { nowMs, epochs } = situation;
    let wait = Infinity;
    for (const command of this.#commands) {
      const eject = command.want.kind === 'eject';
      if (eject && nowMs < this.#ejectWindowMs) {
        wait = Math.min(wait, this.#ejectWindowMs);
        continue;
      }
      const op = buildOp(command.want, situation);
      const ejects = this.#commands.filter(({ want }) => want.kind === 'eject').length;
      const fresh = eject && ejects === 1 && epochs.canAdvance;
      return plan({
        ops: op === null ? [] : [op.op],
        advance: fresh ? Advance.FRESH : Advance.NONE,
        command,
        linkSecret: op?.linkSecret ?? null,
      });
    }
    return wait;
  }

  #composeStageDepart(situation: Situation): Plan | number {
    const { log, nowMs, wallMs, moderator, duties, epochs } = situation;
    let wait = Infinity;
    for (const leaf of this.#departs.values()) {
      const member = log.onStage(leaf);
      if (member === null) continue;
      const silent = wallMs - Number(member.lastEntryMs) >= kSilentMs;
      if (!silent && (!moderator || member.role === Role.MODERATOR)) {
        wait = Math.min(wait, nowMs + kSilentMs - (wallMs - Number(member.lastEntryMs)) + 1);
        continue;
      }
      const fresh = epochs.canAdvance && nowMs >= duties.advanceMs();
      return plan({
        ops: [built('depart', { leaf }).op],
        advance: fresh ? Advance.FRESH : Advance.NONE,
      });
    }
    return wait;
  }

  #composeAdmit(situation: Situation): Plan | number {
    const { nowMs, log, duties, epochs } = situation;
    if (this.#candidates.length === 0 || !epochs.canRatchet) return Infinity;
    if (nowMs < this.#admitWindowMs && this.#candidates.length < kMaxAdmits) {
      return this.#admitWindowMs;
    }
    const candidates: Candidate[] = [];
    const ops: LogOp[] = [];
    for (const candidate of this.#candidates.slice(0, kMaxAdmits)) {
      const { certificate } = candidate;
      const twice = candidates.some((other) =>
        equal(other.certificate.identity, certificate.identity),
      );
      if (twice) continue;
      const inside = log.memberOf(certificate.identity);
      const returns = inside === null && log.hasAuthority(certificate.identity);
      const onStage = inside !== null && log.onStage(inside.leafHash) !== null;
      // What changes the stage goes alone: the next free seat, or the author, is another one after it.
      const alone = returns || onStage;
      if (alone && candidates.length > 0) break;
      const seat = returns && situation.moderator ? (log.nextFreeSeat() ?? 0) : 0;
      candidates.push(candidate);
      ops.push(built('admit', { certificate: certificate.object, seat }).op);
      if (alone) break;
    }
    const exposed = candidates.some(({ certificate: { leafHash } }) =>
      situation.exposed.needsAdvance(leafHash),
    );
    if (exposed && nowMs < duties.advanceMs()) return duties.advanceMs();
    const ratchet = exposed || duties.wantsRatchet(nowMs);
    return plan({ ops, candidates, advance: ratchet ? Advance.RATCHET : Advance.NONE });
  }

  #composeDeparts({ log }: Situation): Plan | number {
    const ops: LogOp[] = [];
    for (const leaf of this.#departs.values()) {
      if (log.onStage(leaf) !== null || ops.length >= kMaxDeparts) continue;
      ops.push(built('depart', { leaf }).op);
    }
    return ops.length === 0 ? Infinity : plan({ ops });
  }
}

function plan(parts: Partial<Plan>): Plan {
  const none = { ops: [], advance: Advance.NONE, candidates: [], command: null, linkSecret: null };
  return { ...none, ...parts };
}

function composeFresh({ nowMs, seat, log, duties, epochs }: Situation): Plan | number {
  if (!epochs.canAdvance) return Infinity;
  const dueMs = duties.freshMs(seat, [...log.stage.keys()]);
  return nowMs >= dueMs ? plan({ advance: Advance.FRESH }) : dueMs;
}

function composeBeat({ nowMs, seat, log, duties, moderator }: Situation): Plan | number {
  const dueMs = duties.beatMs(seat, [...log.stage.keys()], moderator);
  return nowMs >= dueMs ? plan({}) : dueMs;
}
