// What this client has got of the log, for export.

import { create } from '@bufbuild/protobuf';
import { LogExportSchema } from '../gen/alcove/v1/keys_pb';
import type { LogExport, SignedObject } from '../gen/alcove/v1/keys_pb';
import { equal } from './bytes';
import type { Certificate, Entry, Genesis } from './objects';

const kMaxBytes = 64 << 20;

export class LogRecord {
  /** All entries of class authority and resume. */
  readonly #authority: Entry[] = [];
  #entries: Entry[] = [];
  #roster: SignedObject[] = [];
  #bytes = 0;

  constructor(private readonly genesis: Genesis) {}

  /** Of a joiner: what the chain gave. */
  begin(authority: readonly Entry[], others: readonly Entry[]): void {
    this.#authority.push(...authority);
    this.#restart(others, []);
  }

  /** The client follows in full from this entry on. */
  adopt(certificates: readonly Certificate[], head: Entry): void {
    this.#restart(
      [head],
      certificates.map(({ object }) => object),
    );
  }

  /** The client goes on in short. */
  leaveStage(advance: Entry | null, head: Entry): void {
    this.#restart(advance === null ? [head] : [advance, head], []);
  }

  /** From the byte on where there is no room, the rest is missing. */
  add(entry: Entry, authority: boolean): void {
    if (authority) this.#authority.push(entry);
    this.#bytes += entry.object.body.length + 128;
    if (this.#bytes <= kMaxBytes) this.#entries.push(entry);
  }

  toExport(): LogExport {
    const firstN = this.#entries[0]?.body.n ?? 0n;
    return create(LogExportSchema, {
      genesis: this.genesis.object,
      authority: this.#authority.filter(({ body }) => body.n < firstN).map(({ object }) => object),
      entries: this.#entries.map(({ object }) => object),
      roster: this.#roster,
    });
  }

  #restart(entries: readonly Entry[], roster: SignedObject[]): void {
    this.#entries = [];
    this.#bytes = 0;
    const sorted = [...entries].sort((left, right) => Number(left.body.n - right.body.n));
    for (const entry of sorted) {
      const last = this.#entries.at(-1);
      if (last === undefined || !equal(last.hash, entry.hash)) this.add(entry, false);
    }
    this.#roster = roster;
  }
}
