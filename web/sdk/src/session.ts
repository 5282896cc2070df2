/** Who is signed in on this device: an account's session, or a guest's from its first join. */
export interface StoredSession {
  token: string;
  accountId: string;
  username: string;
  displayName: string;
  guest: boolean;
  expiresAtMs: number;
}

/** Where the session lives between visits. Implementations never throw. */
export interface SessionStorage {
  load(): StoredSession | null;
  save(session: StoredSession): void;
  clear(): void;
}

export class MemorySessionStorage implements SessionStorage {
  #session: StoredSession | null = null;

  load(): StoredSession | null {
    return this.#session;
  }
  save(session: StoredSession): void {
    this.#session = session;
  }
  clear(): void {
    this.#session = null;
  }
}

/** Keeps the session in a Web Storage area; falls back to memory where storage is blocked. */
export class WebSessionStorage implements SessionStorage {
  readonly #memory = new MemorySessionStorage();

  constructor(
    private readonly area: Storage | null,
    private readonly key = 'alcove.session',
  ) {}

  load(): StoredSession | null {
    try {
      const text = this.area?.getItem(this.key);
      if (text) return parseSession(text);
    } catch {
      // Storage is blocked: memory is what there is.
    }
    return this.#memory.load();
  }

  save(session: StoredSession): void {
    this.#memory.save(session);
    try {
      this.area?.setItem(this.key, JSON.stringify(session));
    } catch {
      // Full or blocked: the session lasts as long as the page.
    }
  }

  clear(): void {
    this.#memory.clear();
    try {
      this.area?.removeItem(this.key);
    } catch {
      // Nothing was stored then.
    }
  }
}

/** Null for anything that is not a session that we wrote. */
export function parseSession(text: string): StoredSession | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const candidate = value as Record<string, unknown>;
  const { token, accountId, username, displayName, guest, expiresAtMs } = candidate;
  if (typeof token !== 'string' || token === '') return null;
  if (typeof accountId !== 'string' || typeof username !== 'string') return null;
  if (typeof displayName !== 'string' || typeof guest !== 'boolean') return null;
  if (typeof expiresAtMs !== 'number') return null;
  return { token, accountId, username, displayName, guest, expiresAtMs };
}
