// What this client has got of the log, for export.

import { create } from '@bufbuild/protobuf';
import { LogExportSchema } from '../gen/alcove/v1/keys_pb';
import type { LogExport, SignedObject } from '../gen/alcove/v1/keys_pb';
import { equal } from './bytes';
import type { Certificate, Entry, Genesis } from './objects';

const kMaxBytes = 64 << 20;

export class LogRecord {
  /** Entries of class authority and resume before the others. */
  #authority: Entry[] = [];
  #entries: { entry: Entry; authority: boolean }[] = [];
  #roster: SignedObject[] = [];
  #bytes = 0;

  constructor(private readonly genesis: Genesis) {}

  /** Of a joiner: what the chain gave. `others`: the newest advance and head. */
  begin(authority: readonly Entry[], others: readonly Entry[]): void {
    this.#authority = [...authority];
    this.#restart(others);
  }

  /** The client follows in full from this entry on. */
  adopt(certificates: readonly Certificate[], head: Entry): void {
    this.#keepAuthority();
    const isHead = (entry: Entry) => equal(entry.hash, head.hash);
    const authority = this.#authority.some(isHead);
    this.#authority = this.#authority.filter((entry) => !isHead(entry));
    this.#restart([]);
    this.#roster = certificates.map(({ object }) => object);
    this.add(head, authority);
  }

  /** The client goes on in short. */
  leaveStage(advance: Entry | null, head: Entry): void {
    this.#keepAuthority();
    this.#restart(advance === null ? [head] : [advance, head]);
  }

  /** From the byte on where there is no room, the rest is missing. */
  add(entry: Entry, authority: boolean): void {
    this.#bytes += entry.object.body.length + 128;
    if (this.#bytes <= kMaxBytes) this.#entries.push({ entry, authority });
  }

  toExport(): LogExport {
    return create(LogExportSchema, {
      genesis: this.genesis.object,
      authority: this.#authority.map(({ object }) => object),
      entries: this.#entries.map(({ entry }) => entry.object),
      roster: this.#roster,
    });
  }

  #keepAuthority(): void {
    for (const { entry, authority } of this.#entries) {
      if (authority) this.#authority.push(entry);
    }
  }

  #restart(others: readonly Entry[]): void {
    this.#entries = [];
    this.#roster = [];
    this.#bytes = 0;
    let last = this.#authority.at(-1)?.body.n ?? 0n;
    // What is among those of authority, or before the last of them, says nothing more.
    for (const entry of [...others].sort((left, right) => Number(left.body.n - right.body.n))) {
      if (entry.body.n <= last) continue;
      last = entry.body.n;
      this.add(entry, false);
    }
  }
}
