// The identity keys of this device: one for each account that is used here, and a guest's for a visit.

import type { KeyDatabase } from './database';
import type { IdentityName } from './messages';

export interface Identity {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** How a key pair is made where the browser cannot keep one for us. */
export type MakeMemoryIdentity = () => Identity;

interface StoredIdentity {
  keys: CryptoKeyPair;
  createdAtMs: number;
}

/** A guest's identity that was not taken back is of no use to anybody after this time. */
const kGuestForMs = 24 * 60 * 60 * 1000;
const kGuestPrefix = 'guest:';

export function identityKey({ account, visit }: IdentityName): string {
  return account === 'guest' ? `${kGuestPrefix}${visit}` : `account:${account}`;
}

/**
 * Keys that the browser makes, keeps and signs with, and gives to nobody. Without its Ed25519, or without a
 * place that lasts, keys live as long as the worker: the device is a new one at each visit then.
 */
export class IdentityStore {
  /** One at a time for each name: two joins at once must not make two identities. */
  readonly #open = new Map<string, Promise<Identity>>();

  constructor(
    private readonly database: KeyDatabase | null,
    private readonly subtle: SubtleCrypto | null,
    private readonly makeMemoryIdentity: MakeMemoryIdentity,
  ) {}

  identity(name: IdentityName): Promise<Identity> {
    const key = identityKey(name);
    let identity = this.#open.get(key);
    if (identity === undefined) {
      identity = this.#load(key).catch(() => this.makeMemoryIdentity());
      this.#open.set(key, identity);
    }
    return identity;
  }

  /** Of a guest whose visit is over; an account's identity stays. */
  async forget(name: IdentityName): Promise<void> {
    const key = identityKey(name);
    if (!key.startsWith(kGuestPrefix)) return;
    this.#open.delete(key);
    await this.database?.remove('identities', key).catch(() => undefined);
  }

  /** Guests' identities of visits that ended without a word. */
  async removeOldGuests(wallMs: number): Promise<void> {
    if (this.database === null) return;
    for (const key of await this.database.keys('identities')) {
      if (!key.startsWith(kGuestPrefix) || this.#open.has(key)) continue;
      const stored = (await this.database.get('identities', key)) as StoredIdentity | undefined;
      const isOld = stored === undefined || wallMs - stored.createdAtMs > kGuestForMs;
      if (isOld) await this.database.remove('identities', key);
    }
  }

  async #load(key: string): Promise<Identity> {
    if (this.subtle === null || this.database === null) return this.makeMemoryIdentity();
    const stored = (await this.database.get('identities', key)) as StoredIdentity | undefined;
    if (stored !== undefined) return await browserIdentity(this.subtle, stored.keys);
    const keys = await this.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    if (!('privateKey' in keys)) throw new Error('not a pair');
    await this.database.put('identities', key, { keys, createdAtMs: Date.now() });
    return await browserIdentity(this.subtle, keys);
  }
}

async function browserIdentity(subtle: SubtleCrypto, keys: CryptoKeyPair): Promise<Identity> {
  const publicKey = new Uint8Array(await subtle.exportKey('raw', keys.publicKey));
  return {
    publicKey,
    sign: async (message) =>
      new Uint8Array(await subtle.sign('Ed25519', keys.privateKey, message as BufferSource)),
  };
}
