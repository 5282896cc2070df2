import { describe, expect, it } from 'vitest';
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from '../../src/keys/crypto';
import { MemoryKeyDatabase } from '../../src/keys/database';
import type { KeyDatabase } from '../../src/keys/database';
import { IdentityStore } from '../../src/keys/identity_store';
import { KnownDevices } from '../../src/keys/known_devices';

const kDayMs = 24 * 60 * 60 * 1000;
const message = new TextEncoder().encode('what is signed');
const account = { account: '42', visit: '' };
const guest = { account: 'guest', visit: 'one' };

let seeds = 0;
function memoryIdentity() {
  const seed = new Uint8Array(32).fill(++seeds);
  const sign = (bytes: Uint8Array) => Promise.resolve(ed25519Sign(seed, bytes));
  return { publicKey: ed25519PublicKey(seed), sign };
}

function open(database: KeyDatabase | null, subtle: SubtleCrypto | null = crypto.subtle) {
  return new IdentityStore(database, subtle, memoryIdentity);
}

describe('IdentityStore', () => {
  it('makes one key for an account, which the next visit has too and nobody can export', async () => {
    const database = new MemoryKeyDatabase();
    const store = open(database);
    const [first, twin] = await Promise.all([store.identity(account), store.identity(account)]);
    expect(twin).toBe(first);
    const again = await open(database).identity(account);
    expect(again.publicKey).toEqual(first.publicKey);
    expect(ed25519Verify(first.publicKey, message, await again.sign(message))).toBe(true);
    const stored = (await database.get('identities', 'account:42')) as { keys: CryptoKeyPair };
    expect(stored.keys.privateKey.extractable).toBe(false);
    const other = await store.identity({ account: '43', visit: '' });
    expect(other.publicKey).not.toEqual(first.publicKey);
  });

  it('forgets a guest at the end of the visit, and never an account', async () => {
    const database = new MemoryKeyDatabase();
    const store = open(database);
    const first = await store.identity(guest);
    const known = await store.identity(account);
    await store.forget(guest);
    await store.forget(account);
    expect(await database.keys('identities')).toEqual(['account:42']);
    expect((await store.identity(guest)).publicKey).not.toEqual(first.publicKey);
    expect((await open(database).identity(account)).publicKey).toEqual(known.publicKey);
  });

  it('removes guests of a day ago', async () => {
    const database = new MemoryKeyDatabase();
    await open(database).identity(guest);
    await open(database).removeOldGuests(Date.now() + kDayMs - 60_000);
    expect(await database.keys('identities')).toEqual(['guest:one']);
    await open(database).removeOldGuests(Date.now() + kDayMs + 60_000);
    expect(await database.keys('identities')).toEqual([]);
  });

  it('falls back to memory without a place that lasts, without Ed25519, and where the place fails', async () => {
    const failing = new MemoryKeyDatabase();
    failing.put = () => Promise.reject(new Error('quota'));
    for (const store of [open(null), open(new MemoryKeyDatabase(), null), open(failing)]) {
      const identity = await store.identity(account);
      expect(await store.identity(account)).toBe(identity);
      const signature = await identity.sign(message);
      expect(ed25519Verify(identity.publicKey, message, signature)).toBe(true);
    }
  });
});

describe('KnownDevices', () => {
  const key = (byte: number) => new Uint8Array(32).fill(byte);

  async function see(database: KeyDatabase, name: string, identity: Uint8Array) {
    const devices = new KnownDevices(database, () => undefined);
    devices.device(name, identity);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return devices.device(name, identity);
  }

  it('is new at first, known from then on, and changed once with another key', async () => {
    const database = new MemoryKeyDatabase();
    expect(await see(database, '7', key(1))).toBe('new');
    expect(await see(database, '7', key(1))).toBe('known');
    expect(await see(database, '8', key(1))).toBe('new');
    expect(await see(database, '7', key(2))).toBe('changed');
    expect(await see(database, '7', key(2))).toBe('known');
  });

  it('tells when there is something to tell, and takes no guest for known', async () => {
    let told = 0;
    const devices = new KnownDevices(new MemoryKeyDatabase(), () => (told += 1));
    devices.device('7', key(1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(told).toBe(1);
    expect(devices.device('guest', key(1))).toBe('new');
    expect(told).toBe(1);
  });
});
