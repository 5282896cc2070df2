// What a stage member's client means to write as its next entry, and what that is decided by.

import { Advance } from '../gen/alcove/v1/keys_pb';
import type { AdmitTask, LogOp } from '../gen/alcove/v1/keys_pb';
import type { Command, OpContext } from './commands';
import type { Duties } from './duties';
import type { EpochChain } from './epoch_chain';
import type { Exposed } from './exposed';
import type { Certificate } from './objects';

/** A room has at most so many people; more tasks than that are no tasks. */
export const kMaxQueued = 4096;

export interface Candidate {
  number: number;
  /** What was asked: judged again when the log has changed. */
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

export function makePlan(parts: Partial<Plan>): Plan {
  const none = { ops: [], advance: Advance.NONE, candidates: [], command: null, linkSecret: null };
  return { ...none, ...parts };
}
