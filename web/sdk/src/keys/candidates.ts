// Joiners whom the control plane would like to be let in (docs/protocol/room-keys.md, "Joining", 3 and 4):
// judged when they ask, and again by the log as it is when they are written.

import { Role } from '../gen/alcove/v1/common_pb';
import { Advance, RefuseCandidate_Reason as Reason } from '../gen/alcove/v1/keys_pb';
import type { AdmitTask, LogOp } from '../gen/alcove/v1/keys_pb';
import { canBeSealedTo, checkCandidate } from './admission';
import { equal } from './bytes';
import { built } from './commands';
import type { EpochChain } from './epoch_chain';
import type { Follower } from './follower';
import { kMaxQueued, makePlan } from './plan';
import type { Candidate, Plan, Situation } from './plan';
import { toServer } from './shared';
import type { Shared } from './shared';

const kCollectMs = 150;
/** 16 are allowed, but each of a crowd gets the whole entry. */
const kMaxAdmits = 12;

export class Candidates {
  #waiting: Candidate[] = [];
  #collectedMs = -Infinity;
  /** The log has not changed since they were judged. */
  #judged = true;

  constructor(
    private readonly shared: Shared,
    private readonly follower: Follower,
    private readonly epochs: EpochChain,
  ) {}

  /** Refused at once or kept. */
  add(task: AdmitTask): void {
    const { log } = this.follower;
    const able = log.isFull && this.epochs.canRatchet && this.#waiting.length < kMaxQueued;
    const checked = able ? this.#check(task) : Reason.CANNOT_CHECK;
    if (typeof checked === 'number') this.refuse(task.candidate, checked);
    else if (!canBeSealedTo(checked)) this.refuse(task.candidate, Reason.BAD_CERTIFICATE);
    else if (log.member(checked.leafHash) === null) {
      this.#waiting = this.#waiting.filter(({ number }) => number !== task.candidate);
      this.#waiting.push({ number: task.candidate, task, certificate: checked });
    }
  }

  refuse(candidate: number, reason: Reason): void {
    toServer(this.shared, 'refuse', { candidate, reason });
  }

  /** Another entry is in force. */
  logChanged(): void {
    this.#judged = false;
  }

  /** Takes out who is in meanwhile. */
  prune(): void {
    const { log } = this.follower;
    this.drop(({ certificate }) => log.member(certificate.leafHash) !== null);
  }

  drop(which: (candidate: Candidate) => boolean): void {
    this.#waiting = this.#waiting.filter((candidate) => !which(candidate));
  }

  /** The entry with these is on its way. */
  written(nowMs: number): void {
    this.#collectedMs = nowMs + kCollectMs;
  }

  /** The next entry that lets somebody in, or the time when there may be one. */
  compose(situation: Situation): Plan | number {
    const { nowMs, duties } = situation;
    this.#judge();
    if (this.#waiting.length === 0 || !this.epochs.canRatchet) return Infinity;
    if (nowMs < this.#collectedMs && this.#waiting.length < kMaxAdmits) return this.#collectedMs;
    const { ops, candidates } = this.#collect(situation);
    const exposed = candidates.some(({ certificate: { leafHash } }) =>
      situation.exposed.needsAdvance(leafHash),
    );
    if (exposed && nowMs < duties.advanceMs()) return duties.advanceMs();
    const ratchet = exposed || duties.wantsRatchet(nowMs);
    return makePlan({ ops, candidates, advance: ratchet ? Advance.RATCHET : Advance.NONE });
  }

  #check(task: AdmitTask) {
    const { self, log } = this.follower;
    return checkCandidate(task, log, self?.role === Role.MODERATOR, this.shared.link);
  }

  #judge(): void {
    if (this.#judged) return;
    this.#judged = true;
    this.drop(({ task }) => {
      const verdict = this.#check(task);
      if (typeof verdict !== 'number') return false;
      this.refuse(task.candidate, verdict);
      return true;
    });
  }

  #collect({ log, moderator }: Situation): { ops: LogOp[]; candidates: Candidate[] } {
    const candidates: Candidate[] = [];
    const ops: LogOp[] = [];
    for (const candidate of this.#waiting.slice(0, kMaxAdmits)) {
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
      const seat = returns && moderator ? (log.nextFreeSeat() ?? 0) : 0;
      candidates.push(candidate);
      ops.push(built('admit', { certificate: certificate.object, seat }).op);
      if (alone) break;
    }
    return { ops, candidates };
  }
}
