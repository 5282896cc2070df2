// Following a room's log: what comes is applied in order, or it is a repetition, or it is the end.

import type { SignedObject } from '../gen/alcove/v1/keys_pb';
import { equal } from './bytes';
import type { LogState } from './log_state';
import { isShort } from './log_types';
import type { Change, EntryClass, StageMember } from './log_types';
import { parseEntry } from './objects';
import type { Certificate, Entry } from './objects';

/** Repetitions of so many entries are told from forks. */
const kRemembered = 256;

export interface Applied {
  kind: 'applied';
  entry: Entry;
  entryClass: EntryClass;
  changes: Change[];
  /** Who wrote it, as of before it; null for a resume by somebody who was not on the stage. */
  author: StageMember | null;
  /** Stage members that it took from the stage, as they were. */
  gone: StageMember[];
}

export type Followed =
  | Applied
  | { kind: 'ignored' }
  | { kind: 'stopped'; code: 'fork' | 'failed_check'; detail: string };

export class Follower {
  readonly #hashes = new Map<bigint, Uint8Array>();
  /** A listener's log as it was when the first part of a roster came. */
  #rosterBase: LogState | null = null;

  constructor(
    readonly log: LogState,
    private readonly own: Uint8Array,
  ) {}

  /** The own join, while it is on the stage. */
  get self(): StageMember | null {
    return this.log.onStage(this.own);
  }

  /** An entry that was applied before this began. */
  remember(entry: Entry): void {
    this.#hashes.set(entry.body.n, entry.hash);
    for (const n of this.#hashes.keys()) {
      if (this.#hashes.size <= kRemembered) break;
      this.#hashes.delete(n);
    }
  }

  receive(object: SignedObject | undefined): Followed {
    const entry = object === undefined ? 'not_canonical' : parseEntry(object);
    if (typeof entry === 'string') return stopped('failed_check', entry);
    if (entry.body.n <= this.log.n) {
      const known = this.#hashes.get(entry.body.n);
      const same = known === undefined || equal(known, entry.hash);
      return same ? { kind: 'ignored' } : stopped('fork', 'another entry with this number');
    }
    const entryClass = this.log.classOf(entry.body);
    // Without the roster these say nothing; who asked for it has them in it.
    if (!this.log.isFull && !isShort(entryClass)) return { kind: 'ignored' };
    return this.#apply(entry, entryClass);
  }

  /** Becomes full. False where the roster is not the one of the log. */
  adopt(certificates: readonly Certificate[], head: Entry): boolean {
    // An entry of the short path comes by delivery: what it does besides the state would be missed here.
    const runsAhead = !equal(head.hash, this.log.last) && isShort(this.log.classOf(head.body));
    if (runsAhead || this.log.adoptRoster(certificates, head) !== null) return false;
    this.remember(head);
    return true;
  }

  /** The first part of a roster is here: it is checked as of now, whatever comes between the parts. */
  beginRoster(): void {
    this.#rosterBase = this.self === null ? this.log.clone() : null;
  }

  /** Checks a roster against a copy: a listener goes on in short. */
  checkRoster(certificates: readonly Certificate[], head: Entry): boolean {
    const base = this.#rosterBase ?? this.log.clone();
    this.#rosterBase = null;
    return base.adoptRoster(certificates, head) === null;
  }

  #apply(entry: Entry, entryClass: EntryClass): Followed {
    const { log } = this;
    const before = [...log.stage.values()];
    const author = log.onStage(entry.body.author);
    const changes = log.apply(entry, log.isFull ? 'full' : 'short');
    if (typeof changes === 'string') {
      return stopped(changes === 'fork' ? 'fork' : 'failed_check', changes);
    }
    this.remember(entry);
    const gone = before.filter(({ seat }) => log.atSeat(seat) === null);
    const wasOnStage = before.some((member) => equal(member.certificate.leafHash, this.own));
    if (wasOnStage && this.self === null) log.forgetRoster();
    return { kind: 'applied', entry, entryClass, changes, author, gone };
  }
}

function stopped(code: 'fork' | 'failed_check', detail: string): Followed {
  return { kind: 'stopped', code, detail };
}
