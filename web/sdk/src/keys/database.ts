// The device's store of keys: identities that this device signs with, and devices of others as they were
// seen. IndexedDB, since it alone keeps keys that nobody can export.

const kName = 'alcove-keys';
const kVersion = 1;

export type StoreName = 'identities' | 'devices';

/** Where values last between visits. Rejects where the browser has no such place. */
export interface KeyDatabase {
  get(store: StoreName, key: string): Promise<unknown>;
  put(store: StoreName, key: string, value: unknown): Promise<void>;
  remove(store: StoreName, key: string): Promise<void>;
  keys(store: StoreName): Promise<string[]>;
}

export class MemoryKeyDatabase implements KeyDatabase {
  readonly #values = new Map<string, unknown>();

  get(store: StoreName, key: string): Promise<unknown> {
    return Promise.resolve(this.#values.get(`${store}/${key}`));
  }

  put(store: StoreName, key: string, value: unknown): Promise<void> {
    this.#values.set(`${store}/${key}`, value);
    return Promise.resolve();
  }

  remove(store: StoreName, key: string): Promise<void> {
    this.#values.delete(`${store}/${key}`);
    return Promise.resolve();
  }

  keys(store: StoreName): Promise<string[]> {
    const prefix = `${store}/`;
    const keys = [...this.#values.keys()].filter((key) => key.startsWith(prefix));
    return Promise.resolve(keys.map((key) => key.slice(prefix.length)));
  }
}

export class IndexedKeyDatabase implements KeyDatabase {
  #database: Promise<IDBDatabase> | null = null;

  constructor(private readonly factory: IDBFactory) {}

  get(store: StoreName, key: string): Promise<unknown> {
    return this.#run(store, 'readonly', (objects) => objects.get(key));
  }

  async put(store: StoreName, key: string, value: unknown): Promise<void> {
    await this.#run(store, 'readwrite', (objects) => objects.put(value, key));
  }

  async remove(store: StoreName, key: string): Promise<void> {
    await this.#run(store, 'readwrite', (objects) => objects.delete(key));
  }

  async keys(store: StoreName): Promise<string[]> {
    const keys = await this.#run(store, 'readonly', (objects) => objects.getAllKeys());
    return keys.filter((key): key is string => typeof key === 'string');
  }

  async #run<T>(
    store: StoreName,
    mode: IDBTransactionMode,
    work: (objects: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> {
    this.#database ??= open(this.factory);
    const database = await this.#database;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(store, mode);
      const request = work(transaction.objectStore(store));
      transaction.oncomplete = () => {
        resolve(request.result);
      };
      transaction.onabort = () => {
        reject(new Error(transaction.error?.message ?? 'the key store gave up'));
      };
    });
  }
}

function open(factory: IDBFactory): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(kName, kVersion);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('identities');
      request.result.createObjectStore('devices');
    };
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(new Error(request.error?.message ?? 'the key store does not open'));
    };
  });
}
