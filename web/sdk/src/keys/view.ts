import type { Role } from '../gen/alcove/v1/common_pb';

/** Codes of docs/protocol/room-keys.md, "What a client tells the person". */
export type KeyWarningCode =
  | 'fork'
  | 'failed_check'
  | 'faulty_author'
  | 'stale'
  | 'unknown_epoch'
  | 'not_same_log'
  | 'device_changed'
  | 'not_acknowledged'
  | 'early_depart'
  | 'clock_ahead';

export interface KeyWarning {
  code: KeyWarningCode;
  /** Of whom it is about; empty where of nobody. */
  name: string;
  /** English, for reports; what people read is the app's. */
  detail: string;
}

/** Somebody of whom the room's log says that they are in, whatever the server says. */
export interface VerifiedMember {
  /** The leaf hash in base64url: the name of this join in the log. */
  leaf: string;
  /** What commands name; 0 while unknown. */
  memberId: number;
  /** 0 for a listener. */
  seat: number;
  role: Role;
  name: string;
  /** Account id; "guest" for a guest. */
  account: string;
  guest: boolean;
  /** The identity key in base64url. */
  identity: string;
  device: 'self' | 'new' | 'known' | 'changed';
}

/** What the room's keys say, for the UI. */
export interface KeysView {
  admitted: boolean;
  /** Why the person is not in yet: somebody is asked, nobody can admit, or this client restarts the room. */
  waiting: 'asked' | 'nobody' | 'resume' | null;
  /** Six groups of five digits; empty while the genesis is not known. */
  roomCode: string;
  /** False: the genesis is the server's word, and the code has not been compared. */
  codeFromLink: boolean;
  epoch: number;
  rosterSize: number;
  /** True: this client holds the whole verified roster. */
  fullRoster: boolean;
  locked: boolean;
  /** This client has the link's secret, and can share the link. */
  linkKnown: boolean;
  /** Since an eject, until a moderator renews it. */
  linkVoid: boolean;
  stage: VerifiedMember[];
  /** Those that hold now. */
  warnings: KeyWarning[];
  /** A check failed, or the log is stale: nothing of ours is sent. */
  sendingStopped: boolean;
}

export function emptyKeys(): KeysView {
  return {
    admitted: false,
    waiting: null,
    roomCode: '',
    codeFromLink: false,
    epoch: 0,
    rosterSize: 0,
    fullRoster: false,
    locked: false,
    linkKnown: false,
    linkVoid: false,
    stage: [],
    warnings: [],
    sendingStopped: false,
  };
}

/** What RoomClient offers on top of commands: each of the promises is kept when the log says so. */
export interface KeyCommands {
  /** The whole verified roster. */
  roster(): Promise<VerifiedMember[]>;
  /** A LogExport, for `alcove-client verify --log`. */
  exportLog(): Promise<Uint8Array>;
  /** The room's link; with its fragment where the secret is known. */
  shareLink(): string;
  renewLink(): Promise<void>;
  /** The own identity key, as the roster shows it; also before the join, for somebody to invite. */
  ownIdentity(): Promise<string>;
  /** Lets these identity keys, as the roster shows them, into a closed room without its link: 1 to 64. */
  inviteIdentities(keys: string[]): Promise<void>;
  eject(memberId: number): Promise<void>;
  moveToAudience(memberId: number): Promise<void>;
  stepDown(): Promise<void>;
  makeModerator(memberId: number): Promise<void>;
  setLocked(locked: boolean): Promise<void>;
  inviteToStage(memberId: number): Promise<void>;
}
