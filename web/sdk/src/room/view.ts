import type { AlcoveError } from '../errors';
import type { RoomState } from '../gen/alcove/v1/rooms_pb';
import type { Diagnosis } from '../media/stats';

export type RoomPhase =
  | 'idle'
  /** The request to join is on its way. */
  | 'joining'
  /** In the room; the sound is not there yet. */
  | 'connecting'
  | 'connected'
  /** The path is lost and sought again. Nothing is sent meanwhile. */
  | 'reconnecting'
  | 'left'
  | 'ended'
  | 'removed'
  | 'failed';

export interface RoomView {
  phase: RoomPhase;
  room: RoomState;
  /** Why the phase is "failed". */
  error: AlcoveError | null;
  /** Of "ended" and "removed", as the schema names them. */
  cause: string;
  diagnosis: Diagnosis | null;
  /** The browser plays nothing before a gesture: call startAudio() in one. */
  autoplayBlocked: boolean;
  /** Nothing of ours is sent: muted, or without a microphone. */
  muted: boolean;
  hasMicrophone: boolean;
}

export function isOver(phase: RoomPhase): boolean {
  return phase === 'left' || phase === 'ended' || phase === 'removed' || phase === 'failed';
}
