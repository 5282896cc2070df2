// Which epochs this client has, and how it comes from one to the next (docs/protocol/room-keys.md,
// "Epochs"). Secrets stay here and in the frames.

import { Advance } from '../gen/alcove/v1/keys_pb';
import { equal } from './bytes';
import {
  chainOf,
  confirmOf,
  epochIsConfirmed,
  epochPlaintext,
  kFreshBoxSize,
  kZeroSecret,
  nextEpochSecret,
  openBox,
  openEpochBox,
} from './epochs';
import type { Epoch } from './epochs';
import type { Entry } from './objects';
import type { OwnLeaf } from './own_leaf';
import type { SealerPool } from './sealers';
import type { BoxReceiver } from './epochs';

/** Receivers keep at most so many. */
export const kMaxLiveEpochs = 8;

export type AdvanceOutcome =
  /** The epoch is known here. */
  | 'good'
  /** The author's confirm is wrong: nobody has this epoch. */
  | 'faulty'
  /** It is not known here: no box, a wrong one, or no epoch to go on from. */
  | 'missing';

/** What the author of an advance has before its entry is ordered. */
export interface OwnAdvance {
  fresh: Uint8Array | null;
  secret: Uint8Array;
  confirm: Uint8Array;
}

interface LiveEpoch {
  number: number;
  secret: Uint8Array;
  chain: Uint8Array;
}

export class EpochChain {
  /** From the oldest to the newest that is known. */
  readonly #live: LiveEpoch[] = [];
  #newest: Entry | null = null;
  #outcome: AdvanceOutcome = 'missing';
  /** The box of the newest advance did not open, or was not there: it may be good all the same. */
  #boxFailed = false;

  constructor(
    private readonly room: Uint8Array,
    private readonly own: OwnLeaf,
  ) {}

  /** The newest entry with an advance. */
  get newest(): Entry | null {
    return this.#newest;
  }

  get outcome(): AdvanceOutcome {
    return this.#outcome;
  }

  /** The epoch of the newest advance; null while it is not known here. */
  get current(): Epoch | null {
    return this.#outcome === 'good' ? (this.#live.at(-1) ?? null) : null;
  }

  /** True where somebody else may have the epoch that is missing here. */
  get canAsk(): boolean {
    return this.#outcome === 'missing' || this.#boxFailed;
  }

  /**
   * Of a joiner: opens its box and checks the epoch against the newest advance. False where it is another
   * one: the epoch is missing then.
   */
  join(box: Uint8Array, admit: Entry, newest: Entry): boolean {
    this.#newest = newest;
    const epoch = this.#openEpoch('join', admit.hash, box);
    return epoch !== null && this.#adopt(epoch, newest);
  }

  /** Null where it is not the epoch that is missing. */
  takeRebox(box: Uint8Array): Epoch | null {
    const newest = this.#newest;
    if (newest === null || this.#outcome === 'good') return null;
    const epoch = this.#openEpoch('rebox', newest.hash, box);
    return epoch !== null && this.#adopt(epoch, newest) ? epoch : null;
  }

  /** A rebox for a member that asked; null where this client lacks the epoch itself. */
  makeRebox(receiver: BoxReceiver, sealers: SealerPool): Uint8Array | null {
    const { current } = this;
    if (current === null || this.#newest === null) return null;
    const context = sealers.take('rebox', receiver);
    return context?.seal(this.#newest.hash, epochPlaintext(current)) ?? null;
  }

  /** Of an entry that was applied. `fresh`: of the own entry; else the box tells. */
  advance(entry: Entry, box: Uint8Array, fresh: Uint8Array | null): AdvanceOutcome {
    const before = this.#outcome;
    this.#newest = entry;
    this.#boxFailed = false;
    const { body } = entry;
    if (body.advance === Advance.RATCHET) {
      const from = before === 'good' ? this.#live.at(-1) : undefined;
      if (from === undefined) return this.#end('missing');
      if (this.#tryFrom([from.chain], null, entry)) return this.#end('good');
      return this.#end('faulty');
    }
    const opened = fresh ?? this.#openFresh(entry, box);
    if (opened === null) {
      this.#boxFailed = true;
      return this.#end(box.length > 0 && before === 'good' ? 'faulty' : 'missing');
    }
    const chains = body.resume ? [kZeroSecret] : this.#live.map((epoch) => epoch.chain).reverse();
    if (this.#tryFrom(chains, opened, entry)) return this.#end('good');
    // Its author may go on from an epoch that is not known here.
    if (before !== 'good' && !body.resume) return this.#end('missing');
    this.#boxFailed = true;
    return this.#end('faulty');
  }

  /** True where a ratchet, and with it an admit, can be written by this client. */
  get canRatchet(): boolean {
    return this.current !== null;
  }

  /** True where this client has any epoch to go on from. */
  get canAdvance(): boolean {
    return this.#live.length > 0;
  }

  /** For an entry of one's own. `fresh` null: a ratchet. */
  makeAdvance(h: Uint8Array, fresh: Uint8Array | null, resume: boolean): OwnAdvance | null {
    const chain = resume ? kZeroSecret : this.#live.at(-1)?.chain;
    if (chain === undefined) return null;
    const secret = nextEpochSecret(chain, fresh, h);
    return { fresh, secret, confirm: confirmOf(secret, h) };
  }

  /** Forgets what is older than this epoch, except as the one to go on from. */
  drop(number: number): void {
    while (this.#live.length > 1 && (this.#live[0]?.number ?? number) < number) {
      this.#live.shift();
    }
  }

  #openFresh(entry: Entry, box: Uint8Array): Uint8Array | null {
    if (box.length !== kFreshBoxSize) return null;
    const { leafHash } = this.own.certificate;
    const secret = this.own.encryptionKey;
    return openBox('box', this.room, leafHash, secret, entry.bodyHash, box);
  }

  #openEpoch(kind: 'join' | 'rebox', aad: Uint8Array, box: Uint8Array): Epoch | null {
    const { leafHash } = this.own.certificate;
    return openEpochBox(kind, this.room, leafHash, this.own.encryptionKey, aad, box);
  }

  #tryFrom(chains: Uint8Array[], fresh: Uint8Array | null, entry: Entry): boolean {
    for (const chain of chains) {
      const secret = nextEpochSecret(chain, fresh, entry.bodyHash);
      if (epochIsConfirmed(secret, entry)) {
        this.#push({ number: entry.body.epoch, secret });
        return true;
      }
    }
    return false;
  }

  #adopt(epoch: Epoch, newest: Entry): boolean {
    if (epoch.number !== newest.body.epoch) return false;
    if (!epochIsConfirmed(epoch.secret, newest)) return false;
    this.#newest = newest;
    this.#boxFailed = false;
    this.#push(epoch);
    this.#outcome = 'good';
    return true;
  }

  #push(epoch: Epoch): void {
    this.#live.push({ ...epoch, chain: chainOf(epoch.secret) });
    if (this.#live.length > kMaxLiveEpochs) this.#live.shift();
  }

  #end(outcome: AdvanceOutcome): AdvanceOutcome {
    this.#outcome = outcome;
    return outcome;
  }
}

/** Whether two entries are the same one. */
export function isSameEntry(left: Entry, right: Entry): boolean {
  return equal(left.hash, right.hash);
}
