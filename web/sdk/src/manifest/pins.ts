// What this browser remembers of a server: the manifest's key, and how far its log was checked.

import { fromHex, toHex } from '../keys/bytes';
import { kHashSize, kKeySize } from '../keys/sizes';
import type { LogHead } from './log';

export interface Pin {
  /** SHA-256 of the key. */
  keyHash: Uint8Array;
  /** The highest that was seen under this key. */
  serial: bigint;
  /** When the key was first used here. */
  sinceMs: number;
  head: LogHead | null;
}

/** For one origin. Implementations never throw. */
export interface PinStore {
  load(): Pin | null;
  save(pin: Pin): void;
  /** As if the server had never been met. */
  forget(): void;
}

export class MemoryPinStore implements PinStore {
  #pin: Pin | null = null;

  load(): Pin | null {
    return this.#pin;
  }

  save(pin: Pin): void {
    this.#pin = pin;
  }

  forget(): void {
    this.#pin = null;
  }
}

/** In a Web Storage area, which is the origin's own; in memory where that is blocked. */
export class WebPinStore implements PinStore {
  readonly #memory = new MemoryPinStore();

  constructor(
    private readonly area: Storage | null,
    private readonly key = 'alcove.manifest',
  ) {}

  load(): Pin | null {
    try {
      const text = this.area?.getItem(this.key);
      if (text) return parsePin(text);
    } catch {
      // Storage is blocked: memory is what there is.
    }
    return this.#memory.load();
  }

  forget(): void {
    this.#memory.forget();
    try {
      this.area?.removeItem(this.key);
    } catch {
      // Blocked: nothing was kept there.
    }
  }

  save(pin: Pin): void {
    this.#memory.save(pin);
    try {
      this.area?.setItem(this.key, pinText(pin));
    } catch {
      // Full or blocked: it lasts as long as the page.
    }
  }
}

export function pinText({ keyHash, serial, sinceMs, head }: Pin): string {
  const kept = head && {
    ...{ size: head.size, atMs: head.atMs, hash: toHex(head.hash), key: toHex(head.key) },
    ...{ policy: toHex(head.policy), manifest: toHex(head.manifest) },
  };
  return JSON.stringify({ keyHash: toHex(keyHash), serial: String(serial), sinceMs, head: kept });
}

/** Null for anything that is not a pin that we wrote. */
export function parsePin(text: string): Pin | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { keyHash, serial, sinceMs, head } = value as Record<string, unknown>;
  const hash = bytesOf(keyHash, [kHashSize]);
  if (hash === null || typeof sinceMs !== 'number') return null;
  // A pin from before serials were kept has none.
  const seen = typeof serial === 'string' && /^\d{1,20}$/.test(serial) ? BigInt(serial) : 0n;
  return { keyHash: hash, serial: seen, sinceMs, head: parseHead(head) };
}

function parseHead(value: unknown): LogHead | null {
  if (typeof value !== 'object' || value === null) return null;
  const found = value as Record<string, unknown>;
  const { size, atMs } = found;
  const hash = bytesOf(found['hash'], [kHashSize]);
  const key = bytesOf(found['key'], [kKeySize]);
  const policy = bytesOf(found['policy'], [0, kHashSize]);
  const manifest = bytesOf(found['manifest'], [0, kHashSize]);
  if (!Number.isSafeInteger(size) || typeof size !== 'number' || size < 1) return null;
  if (typeof atMs !== 'number' || hash === null || key === null) return null;
  return policy && manifest && { size, hash, key, policy, manifest, atMs };
}

function bytesOf(value: unknown, sizes: number[]): Uint8Array | null {
  const bytes = typeof value === 'string' ? fromHex(value) : null;
  return bytes !== null && sizes.includes(bytes.length) ? bytes : null;
}
