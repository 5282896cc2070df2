import { ApiClient, WebSessionStorage } from '@alcove/sdk';
import type { ServerConfig, SessionStorage, StoredSession } from '@alcove/sdk';

/** The SDK's storage, which also tells the app when somebody signs in or out. */
class WatchedStorage implements SessionStorage {
  readonly #inner: SessionStorage;
  current = $state.raw<StoredSession | null>(null);

  constructor(inner: SessionStorage) {
    this.#inner = inner;
    this.current = inner.load();
  }

  load(): StoredSession | null {
    return this.current;
  }

  save(session: StoredSession): void {
    this.#inner.save(session);
    this.current = session;
  }

  clear(): void {
    this.#inner.clear();
    this.current = null;
  }
}

export function localArea(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

export const storage = new WatchedStorage(new WebSessionStorage(localArea()));

/** Set once the server has said that it is not offered to people who connect from here. */
class Offer {
  denied = $state.raw<Readonly<Record<string, string>> | null>(null);
}

export const offer = new Offer();

export const api = new ApiClient({
  session: storage,
  onError: (error) => {
    if (error.reason === 'offer.denied') offer.denied = error.values;
  },
});

class Account {
  /** Signed in with an account; a guest is not. */
  get user(): StoredSession | null {
    return storage.current?.guest === false ? storage.current : null;
  }

  get guest(): StoredSession | null {
    return storage.current?.guest === true ? storage.current : null;
  }
}

export const account = new Account();

let config: Promise<ServerConfig> | null = null;

/** Asked for once, again only after it failed. */
export function serverConfig(): Promise<ServerConfig> {
  config ??= api.config().catch((thrown: unknown) => {
    config = null;
    throw thrown;
  });
  return config;
}

/** "Firefox on Linux": what the list of sessions shows. */
export function deviceName(userAgent = navigator.userAgent): string {
  const browser = /Firefox\//.test(userAgent)
    ? 'Firefox'
    : /Edg\//.test(userAgent)
      ? 'Edge'
      : /OPR\//.test(userAgent)
        ? 'Opera'
        : /Chrom(e|ium)\//.test(userAgent)
          ? 'Chrome'
          : /Safari\//.test(userAgent)
            ? 'Safari'
            : 'Browser';
  const system = /Android/.test(userAgent)
    ? 'Android'
    : /iPhone|iPad/.test(userAgent)
      ? 'iOS'
      : /Windows/.test(userAgent)
        ? 'Windows'
        : /Mac OS X/.test(userAgent)
          ? 'macOS'
          : /Linux/.test(userAgent)
            ? 'Linux'
            : '';
  return system === '' ? browser : `${browser} on ${system}`;
}
