// What a stage member's client has to write into the log, and in which order: what its person wants, what
// the control plane asks for, and what its rank obliges it to.

import { Role } from '../gen/alcove/v1/common_pb';
import { Advance } from '../gen/alcove/v1/keys_pb';
import type { LogOp } from '../gen/alcove/v1/keys_pb';
import { toHex } from './bytes';
import type { Candidates } from './candidates';
import { buildOp, built } from './commands';
import type { Command } from './commands';
import type { LogState } from './log_state';
import { kMaxQueued, makePlan } from './plan';
import type { Plan, Situation } from './plan';

const kEjectWindowMs = 300;
const kMaxDeparts = 64;
const kSilentMs = 30_000;
/** After what was not taken: what nobody asked for is not written again at once. */
const kPauseMs = 1_000;

export class Keeper {
  #commands: Command[] = [];
  readonly #departs = new Map<string, Uint8Array>();
  readonly #allowed = new Set<string>();
  #ejectWindowMs = -Infinity;
  #pausedMs = -Infinity;

  constructor(private readonly candidates: Candidates) {}

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

  depart(leaf: Uint8Array): void {
    if (this.#departs.size < kMaxQueued) this.#departs.set(toHex(leaf), leaf);
  }

  /** Takes out what the log has meanwhile, or cannot have any more. */
  prune(log: LogState): void {
    this.candidates.prune();
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
    this.#allowed.clear();
    this.candidates.drop(() => true);
    this.#departs.clear();
    return commands;
  }

  /** Who waits at the server no longer. False where the entry with this plan had none of them. */
  dropGone(plan: Plan, gone: readonly number[]): boolean {
    this.candidates.drop(({ number }) => gone.includes(number));
    return plan.candidates.some(({ number }) => gone.includes(number));
  }

  /** The entry was ordered, or will not be written again. */
  settle(plan: Plan): void {
    this.#commands = this.#commands.filter((command) => command !== plan.command);
    this.candidates.drop((candidate) => plan.candidates.includes(candidate));
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

  /** An entry was not taken. */
  pause(nowMs: number): void {
    this.#pausedMs = nowMs + kPauseMs;
  }

  /** What to write now, or the time when there may be something. */
  compose(situation: Situation): Plan | number {
    const waits: number[] = [];
    for (const next of [
      this.#composeCommand(situation),
      this.#composeStageDepart(situation),
      this.candidates.compose(situation),
      this.#composeDeparts(situation),
      composeFresh(situation, this.#pausedMs),
      composeBeat(situation, this.#pausedMs),
    ]) {
      if (typeof next !== 'number') return next;
      waits.push(next);
    }
    return Math.min(...waits);
  }

  /** The entry with this plan is on its way. */
  written(nowMs: number, plan: Plan): void {
    if (plan.candidates.length > 0) this.candidates.written(nowMs);
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
      return makePlan({
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
      return makePlan({
        ops: [built('depart', { leaf }).op],
        advance: fresh ? Advance.FRESH : Advance.NONE,
      });
    }
    return wait;
  }

  #composeDeparts({ log }: Situation): Plan | number {
    const ops: LogOp[] = [];
    for (const leaf of this.#departs.values()) {
      if (log.onStage(leaf) !== null || ops.length >= kMaxDeparts) continue;
      ops.push(built('depart', { leaf }).op);
    }
    return ops.length === 0 ? Infinity : makePlan({ ops });
  }
}

function composeFresh(
  { nowMs, seat, log, duties, epochs }: Situation,
  pausedMs: number,
): Plan | number {
  if (!epochs.canAdvance) return Infinity;
  const dueMs = Math.max(pausedMs, duties.freshMs(seat, [...log.stage.keys()]));
  return nowMs >= dueMs ? makePlan({ advance: Advance.FRESH }) : dueMs;
}

function composeBeat(
  { nowMs, seat, log, duties, moderator }: Situation,
  pausedMs: number,
): Plan | number {
  const dueMs = Math.max(pausedMs, duties.beatMs(seat, [...log.stage.keys()], moderator));
  return nowMs >= dueMs ? makePlan({}) : dueMs;
}
