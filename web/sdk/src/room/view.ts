import type { AlcoveError } from '../errors';
import type { RoomState } from '../gen/alcove/v1/rooms_pb';
import type { KeysView } from '../keys/view';
import type { Diagnosis } from '../media/stats';

export type RoomPhase =
  | 'idle'
  /** The request to join is on its way. */
  | 'joining'
  /** Asked to be let in; see keys.waiting. */
  | 'waiting'
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
  keys: KeysView;
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
