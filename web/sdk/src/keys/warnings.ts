// What this client has to tell the person (docs/protocol/room-keys.md, "What a client tells the person").

import type { KeyWarning, KeyWarningCode } from './view';

/** Warnings that do not end by themselves are shown for this long; those of a broken log stay. */
const kShownForMs: Partial<Record<KeyWarningCode, number>> = {
  faulty_author: 60_000,
  early_depart: 60_000,
  not_acknowledged: 10_000,
};
/** A hostile room must not fill the memory. */
const kMaxWarnings = 64;

export class Warnings {
  readonly #active = new Map<string, { warning: KeyWarning; endsMs: number }>();
  #changed = false;

  raise(nowMs: number, code: KeyWarningCode, name = '', detail = ''): void {
    const key = `${code} ${name}`;
    const endsMs = nowMs + (kShownForMs[code] ?? Number.POSITIVE_INFINITY);
    const known = this.#active.get(key);
    if (known === undefined && this.#active.size >= kMaxWarnings) return;
    if (known?.warning.detail !== detail) this.#changed = true;
    this.#active.set(key, { warning: { code, name, detail }, endsMs });
  }

  /** Without a name: all with this code. */
  end(code: KeyWarningCode, name?: string): void {
    for (const [key, { warning }] of this.#active) {
      if (warning.code !== code || (name !== undefined && warning.name !== name)) continue;
      this.#active.delete(key);
      this.#changed = true;
    }
  }

  handleTimeout(nowMs: number): void {
    for (const [key, { endsMs }] of this.#active) {
      if (endsMs > nowMs) continue;
      this.#active.delete(key);
      this.#changed = true;
    }
  }

  get deadlineMs(): number {
    return Math.min(...[...this.#active.values()].map(({ endsMs }) => endsMs));
  }

  has(code: KeyWarningCode): boolean {
    return [...this.#active.values()].some(({ warning }) => warning.code === code);
  }

  list(): KeyWarning[] {
    return [...this.#active.values()].map(({ warning }) => warning);
  }

  /** Whether anything changed since the last call. */
  takeChanged(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }
}
