import type { ApiClient } from '../api';
import type { AlcoveError } from '../errors';
import type { ServerConfig } from '../gen/alcove/v1/common_pb';
import type { ServerMessage } from '../gen/alcove/v1/events_pb';
import type { RoomState } from '../gen/alcove/v1/rooms_pb';
import type { ManifestKeeper } from '../manifest/keeper';
import type { AudioSink } from '../media/audio_sink';
import type { Diagnosis } from '../media/stats';
import type { Promised } from './answer_check';

export type LinkStatus = 'connecting' | 'connected' | 'reconnecting';

export interface LinkOptions {
  api: ApiClient;
  config: ServerConfig;
  roomId: string;
  sink: AudioSink;
  manifest: ManifestKeeper;
  baseUrl?: string;
}

export interface RoomClientOptions extends LinkOptions {
  /** The bundled transform worker: how a worker becomes a file is the bundler's affair. */
  createWorker: () => Worker;
}

export interface LinkHost {
  room(): RoomState;
  track(): MediaStreamTrack | null;
  /** The own level, 0 to 1, while it is sent; null otherwise. */
  ownLevel(): number | null;
  /** JoinKeys of a new join, encoded. */
  joinKeys(guestName: string): Promise<Uint8Array>;
  /** Of the genesis that joinKeys() has checked. */
  promisedKey(): Promise<Promised>;
  onJoined(): void;
  onMessage(message: ServerMessage): void;
  onStatus(status: LinkStatus): void;
  onDiagnosis(diagnosis: Diagnosis | null): void;
  onAutoplayBlocked(): void;
  /** It does not come back: the room or the membership is gone, or joining anew was refused. */
  onOver(why: 'ended' | 'removed' | 'replaced' | AlcoveError): void;
}
