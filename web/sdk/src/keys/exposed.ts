// Boxes of the epoch in use that went out with an entry which was not ordered: the server holds them, and no
// entry tells of whom they are for (docs/protocol/room-keys.md, "When").

import { fromHex, toHex } from './bytes';

const kExposedForMs = 5_000;
const kMaxFailures = 3;
const kMaxExposed = 1024;

export class Exposed {
  readonly #dueMs = new Map<string, number>();
  readonly #failures = new Map<string, number>();

  /** An entry that was refused or not returned. */
  failed(nowMs: number, leaf: Uint8Array): void {
    this.#add(nowMs, leaf, kMaxFailures);
  }

  /** An entry that another one was faster than. */
  overtaken(nowMs: number, leaf: Uint8Array): void {
    this.#add(nowMs, leaf, 1);
  }

  /** True where an entry that admits this leaf has an advance of its own. */
  needsAdvance(leaf: Uint8Array): boolean {
    const failures = this.#failures.get(toHex(leaf));
    // Where they cannot all be remembered, everybody counts as one of them.
    return failures === undefined ? this.#failures.size >= kMaxExposed : failures >= kMaxFailures;
  }

  get deadlineMs(): number {
    return Math.min(...this.#dueMs.values());
  }

  /** Those that should have been let in meanwhile. */
  takeDue(nowMs: number): Uint8Array[] {
    const due: Uint8Array[] = [];
    for (const [name, atMs] of this.#dueMs) {
      if (atMs > nowMs) continue;
      this.#dueMs.delete(name);
      const leaf = fromHex(name);
      if (leaf !== null) due.push(leaf);
    }
    return due;
  }

  /** A fresh epoch is in force: what they hold is of the past. */
  clear(): void {
    this.#dueMs.clear();
    this.#failures.clear();
  }

  #add(nowMs: number, leaf: Uint8Array, failures: number): void {
    const name = toHex(leaf);
    this.#dueMs.set(name, Math.min(this.#dueMs.get(name) ?? Infinity, nowMs + kExposedForMs));
    if (this.#failures.size >= kMaxExposed && !this.#failures.has(name)) return;
    this.#failures.set(name, (this.#failures.get(name) ?? 0) + failures);
  }
}
