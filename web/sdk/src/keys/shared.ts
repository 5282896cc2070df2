// What the parts of a member's keys have in common.

import { create } from '@bufbuild/protobuf';
import { KeysFromClientSchema } from '../gen/alcove/v1/keys_pb';
import type { KeysFromClient, Waiting_Reason } from '../gen/alcove/v1/keys_pb';
import type { RandomSource } from './crypto';
import type { KeyedFrames } from './frames';
import type { Certificate, Genesis } from './objects';
import type { OwnLeaf } from './own_leaf';
import type { Warnings } from './warnings';

export type CommandResult =
  | 'done'
  /** The state or the role does not allow it. */
  | 'not_permitted'
  /** It was not returned in time. */
  | 'not_acknowledged'
  /** The control plane refused it. */
  | 'refused'
  /** Not in the room, or the log is broken. */
  | 'not_possible';

export type KeyEvent =
  | { kind: 'waiting'; reason: Waiting_Reason }
  | { kind: 'admitted' }
  /** Stage, roster size, roles, lock, link, epoch or warnings changed: read the state. */
  | { kind: 'changed' }
  | { kind: 'answer'; id: number; result: CommandResult }
  | { kind: 'roster'; id: number; certificates: Certificate[] | null }
  /** The identity has to sign this: handleSigned() takes the signature. */
  | { kind: 'sign'; message: Uint8Array }
  /** Departed, ejected or replaced: this join is over. */
  | { kind: 'out' };

export interface LinkState {
  secret: Uint8Array | null;
  generation: number;
  /** Of this generation beyond doubt: nobody who came in for another reason had theirs checked. */
  certain: boolean;
}

export interface Shared {
  readonly genesis: Genesis;
  readonly own: OwnLeaf;
  readonly random: RandomSource;
  readonly frames: KeyedFrames;
  readonly warnings: Warnings;
  readonly link: LinkState;
  readonly messages: KeysFromClient[];
  readonly events: KeyEvent[];
}

type MessageCase = NonNullable<KeysFromClient['message']['case']>;

export function toServer(shared: Shared, kind: MessageCase, value: object): void {
  const message = { case: kind, value } as never;
  shared.messages.push(create(KeysFromClientSchema, { message }));
}
