// HPKE contexts made ahead: a fresh epoch needs one for each person in the room, and making one costs a
// thousand times what sealing with it does.

import type { RandomSource } from './crypto';
import { equal, toBase64Url } from './bytes';
import { prepareBox } from './epochs';
import type { BoxKind, BoxReceiver } from './epochs';
import type { HpkeSealContext } from './hpke';
import { kKeySize } from './crypto';

/** Contexts kept ahead; a larger room's rest is made when it is needed. */
const kMaxPrepared = 8192;

export class SealerPool {
  readonly #prepared = new Map<string, HpkeSealContext | null>();
  #waiting: BoxReceiver[] = [];

  constructor(
    private readonly room: Uint8Array,
    private readonly random: RandomSource,
  ) {}

  /** Whoever may get a box of a fresh epoch: those in the roster, the own leaf left out. */
  expect(receivers: Iterable<BoxReceiver>): void {
    const wanted = new Map<string, BoxReceiver>();
    for (const receiver of receivers) {
      if (wanted.size < kMaxPrepared) wanted.set(toBase64Url(receiver.leafHash), receiver);
    }
    for (const leaf of this.#prepared.keys()) {
      if (!wanted.has(leaf)) this.#prepared.delete(leaf);
    }
    this.#waiting = [...wanted]
      .filter(([leaf]) => !this.#prepared.has(leaf))
      .map(([, receiver]) => receiver);
  }

  /** One more, or one less: cheaper than all of them anew. */
  add(receiver: BoxReceiver): void {
    if (this.#prepared.size + this.#waiting.length < kMaxPrepared) this.#waiting.push(receiver);
  }

  remove(leafHash: Uint8Array): void {
    this.#prepared.delete(toBase64Url(leafHash));
    this.#waiting = this.#waiting.filter((receiver) => !equal(receiver.leafHash, leafHash));
  }

  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Makes the next one ahead. False where there is none to make. */
  prepareNext(): boolean {
    const receiver = this.#waiting.pop();
    if (receiver === undefined) return false;
    this.#prepared.set(toBase64Url(receiver.leafHash), this.#make('box', receiver));
    return true;
  }

  /** Null for a receiver whose key is of small order. */
  take(kind: BoxKind, receiver: BoxReceiver): HpkeSealContext | null {
    if (kind !== 'box') return this.#make(kind, receiver);
    const leaf = toBase64Url(receiver.leafHash);
    const prepared = this.#prepared.get(leaf);
    this.#prepared.delete(leaf);
    return prepared ?? this.#make(kind, receiver);
  }

  #make(kind: BoxKind, receiver: BoxReceiver): HpkeSealContext | null {
    return prepareBox(kind, this.room, receiver, this.random(kKeySize));
  }
}
