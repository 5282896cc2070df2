// What the main thread and the worker tell each other about keys. Secrets stay in the worker, with one
// exception: the link's secret, which the page reads from its address and puts into links.
import type { RoomKind } from '../gen/alcove/v1/common_pb';
import type { EarlierJoin } from './room_keys';
import type { KeysView, VerifiedMember } from './view';

/** Whose identity key signs. */
export interface IdentityName {
  /** The account's id; "guest" for a guest. */
  account: string;
  /** A guest's identity is made for the visit: a random text that a reload keeps. */
  visit: string;
}

export interface GenesisInit {
  kind: RoomKind;
  packetBucket: number;
  /** SHA-256 of the key of the server's manifest. */
  manifestKeyHash: Uint8Array;
  createdAtMs: number;
}

/** An Ed25519 signature to be checked. */
export interface SignatureInit {
  key: Uint8Array;
  message: Uint8Array;
  signature: Uint8Array;
}

export interface JoinInit extends EarlierJoin {
  name: IdentityName;
  displayName: string;
  /** A SignedObject, as the server gave it. */
  genesis: Uint8Array;
  /** Of the link's fragment; null for who came without. */
  fingerprint: Uint8Array | null;
  linkSecret: Uint8Array | null;
}

export type KeysCommand =
  | { kind: 'eject'; leaf: string }
  | { kind: 'to-audience'; leaf: string }
  | { kind: 'make-moderator'; leaf: string }
  | { kind: 'step-down' }
  | { kind: 'lock'; locked: boolean }
  | { kind: 'renew-link' }
  | { kind: 'invite'; identities: string[] }
  /** Remembers that this leaf may have a seat when it accepts. */
  | { kind: 'allow-stage'; leaf: string }
  /** The own depart; for a listener there is nothing to write. */
  | { kind: 'depart' }
  | { kind: 'roster' }
  | { kind: 'export' };

/** Main thread to worker. */
export type KeysToWorker =
  /** Opens the identity ahead of its use. */
  | { type: 'keys-prepare'; name: IdentityName }
  | { type: 'keys-genesis'; request: number; name: IdentityName; init: GenesisInit }
  /** A new join: new leaf and encryption keys, everything before is forgotten. */
  | { type: 'keys-join'; request: number; init: JoinInit }
  /** Of the manifest and its log; answered with done or failed. */
  | { type: 'keys-verify'; request: number; init: SignatureInit }
  /** After each Hello on the event connection, and when that is lost. */
  | { type: 'keys-connected' }
  | { type: 'keys-disconnected' }
  | { type: 'keys-from-server'; message: Uint8Array }
  | { type: 'keys-command'; request: number; command: KeysCommand }
  | { type: 'keys-identity'; request: number; name: IdentityName }
  /** The visit is over: a guest's identity is not needed any more. */
  | { type: 'keys-forget'; request: number; name: IdentityName };

export interface KeysSnapshot {
  /** memberId of everybody is 0: members' numbers are the server's. */
  view: KeysView;
  /** The own leaf hash in base64url. */
  leaf: string;
  /** The own seat, 0 without one. */
  seat: number;
  /** The fragment of the room's link; empty where the secret is not known. */
  fragment: string;
  /** Which link's it is, where that is known beyond doubt. */
  linkGeneration: number | null;
}

export type KeysAnswer =
  | { kind: 'done' }
  /** Why the command did not go through: "not_permitted", "not_acknowledged", "not_admitted"… */
  | { kind: 'failed'; reason: string }
  /** A SignedObject (genesis), JoinKeys, an identity key, or LogExport. */
  | { kind: 'bytes'; bytes: Uint8Array<ArrayBuffer>; fragment: string }
  | { kind: 'roster'; members: VerifiedMember[] };

/** Worker to main thread. */
export type KeysFromWorker =
  /** A KeysFromClient for the event connection. */
  | { type: 'keys-to-server'; message: Uint8Array<ArrayBuffer> }
  | { type: 'keys-view'; snapshot: KeysSnapshot }
  | { type: 'keys-answer'; request: number; answer: KeysAnswer };
