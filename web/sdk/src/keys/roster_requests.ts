// The roster that this client asks for: of its own accord on the stage, and for its person in the audience.

import type { RosterPart } from '../gen/alcove/v1/keys_pb';
import type { Certificate, Entry } from './objects';
import { RosterParts } from './roster_parts';
import { toServer } from './shared';
import type { Shared } from './shared';

const kRetryMs = 2_000;

export class RosterRequests {
  readonly #parts: RosterParts;
  /** Of the person's requests. */
  #ids: number[] = [];
  #askMs = Infinity;

  constructor(private readonly shared: Shared) {
    this.#parts = new RosterParts(shared.genesis.fingerprint);
  }

  /** Asked, and not answered yet. */
  get waits(): boolean {
    return this.#askMs !== Infinity;
  }

  get deadlineMs(): number {
    return this.#askMs;
  }

  /** Of the person; answered by answer(). */
  request(nowMs: number, id: number, connected: boolean): void {
    this.#ids.push(id);
    this.ask(nowMs, connected);
  }

  ask(nowMs: number, connected: boolean): void {
    this.#askMs = nowMs + kRetryMs;
    if (connected) toServer(this.shared, 'requestRoster', {});
  }

  /** The connection is there again. */
  reconnected(nowMs: number): void {
    if (this.waits) this.#askMs = nowMs;
  }

  /** The roster once it is whole, if it was asked for; not yet checked. */
  take(part: RosterPart): { certificates: Certificate[]; head: Entry } | null {
    const roster = this.#parts.take(part);
    if (typeof roster === 'string' || roster.head === null || !this.waits) return null;
    return { certificates: roster.certificates, head: roster.head };
  }

  /** Null: there will be none. */
  answer(certificates: Certificate[] | null): void {
    this.#askMs = Infinity;
    for (const id of this.#ids.splice(0)) {
      this.shared.events.push({ kind: 'roster', id, certificates });
    }
  }
}
