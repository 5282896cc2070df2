// Trust on first use: the identity key under which each account was first seen on this device.

import { equal } from './bytes';
import type { KeyDatabase } from './database';
import type { VerifiedMember } from './view';

type Device = Exclude<VerifiedMember['device'], 'self'>;

/** A room has at most 65,535 people; what this visit has looked up is kept for so many. */
const kMaxCached = 4096;

/**
 * Guests have no device: their names mean nothing beyond the visit. A device that has changed is told as
 * changed for this visit, and is the known one from the next.
 */
export class KnownDevices {
  readonly #seen = new Map<string, Device>();
  readonly #asked = new Set<string>();

  constructor(
    private readonly database: KeyDatabase,
    private readonly onChange: () => void,
  ) {}

  /** What is known now; "known" until the database has answered, when onChange follows. */
  device(account: string, identity: Uint8Array): Device {
    if (account === 'guest') return 'new';
    const key = `${account} ${String(identity)}`;
    const device = this.#seen.get(key);
    if (device !== undefined) return device;
    if (!this.#asked.has(key) && this.#asked.size < kMaxCached) {
      this.#asked.add(key);
      void this.#look(account, identity, key);
    }
    return 'known';
  }

  async #look(account: string, identity: Uint8Array, key: string): Promise<void> {
    const device = await this.#compare(account, identity).catch((): Device => 'new');
    this.#seen.set(key, device);
    if (device !== 'known') this.onChange();
  }

  async #compare(account: string, identity: Uint8Array): Promise<Device> {
    const known = await this.database.get('devices', account);
    const device = !(known instanceof Uint8Array)
      ? 'new'
      : equal(known, identity)
        ? 'known'
        : 'changed';
    if (device !== 'known') await this.database.put('devices', account, identity.slice());
    return device;
  }
}
