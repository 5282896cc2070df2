// The server's manifest for this page: fetched before everything else, verified, held against what this browser
// knows of the server, and its log followed. Nobody joins or begins a room without it.

import { AlcoveError, toAlcoveError } from '../errors';
import type { SignedManifest, TransparencyPage } from '../gen/alcove/v1/manifest_pb';
import { equal, toHex } from '../keys/bytes';
import { Writable } from '../observable';
import type { Readable } from '../observable';
import { emptyHead, followLog } from './log';
import type { Followed, LogFault, LogHead } from './log';
import type { PinStore } from './pins';
import { invalid, sha256, verifyManifest } from './verify';
import type { VerifiedManifest, VerifySignature } from './verify';

/** What is said of the manifest's key. */
export type KeyState = 'first-use' | 'known' | 'changed';

export interface ManifestState {
  /** stopped: verified, and the person has to decide something first. failed: there is none. */
  phase: 'loading' | 'ready' | 'failed' | 'stopped';
  error: AlcoveError | null;
  verified: VerifiedManifest | null;
  key: KeyState;
  /** SHA-256 of the key that was known here, in hexadecimal; empty where there was none. */
  knownKey: string;
  knownSinceMs: number;
  /** The log has the old key's signature under the change. */
  changeIsSigned: boolean;
  log: { state: 'following' | 'checked' | 'unavailable'; size: number; fault: LogFault | null };
}

export interface ManifestSource {
  manifest(): Promise<SignedManifest>;
  transparencyLog(from: number): Promise<TransparencyPage>;
}

export interface ManifestKeeperOptions {
  source: ManifestSource;
  pins: PinStore;
  verify: VerifySignature;
  nowMs?: () => number;
}

const kLoading: ManifestState = {
  ...{ phase: 'loading', error: null, verified: null, key: 'first-use', knownKey: '' },
  ...{ knownSinceMs: 0, changeIsSigned: false },
  log: { state: 'following', size: 0, fault: null },
};

export class ManifestKeeper {
  readonly state: Readable<ManifestState>;
  readonly #state = new Writable<ManifestState>(kLoading);
  #loading: Promise<AlcoveError | null> | null = null;
  #followed: Followed | null = null;
  /** Nothing was known of the server when this page began, and no room has vouched for its key yet. */
  #tookFirst = false;

  constructor(private readonly options: ManifestKeeperOptions) {
    this.state = this.#state;
  }

  /** Once for the page; again only after it failed. Never throws: what went wrong is in the state. */
  async load(): Promise<void> {
    if (this.#state.value.phase === 'failed') this.#loading = null;
    this.#loading ??= this.#load();
    await this.#loading;
  }

  /**
   * Asks for the manifest anew: the server may have changed it since the page began. Gives why there is no newer
   * one; what was verified before goes on holding.
   */
  refresh(): Promise<AlcoveError | null> {
    this.#loading = this.#load();
    return this.#loading;
  }

  /**
   * The verified manifest, whatever is known of its key: for what sends nothing.
   * @throws AlcoveError
   */
  async verified(): Promise<VerifiedManifest> {
    await this.load();
    const { verified, error } = this.#state.value;
    if (verified !== null) return verified;
    throw error ?? new AlcoveError('unavailable', 'manifest.unavailable', 'There is no manifest');
  }

  /**
   * What a new room promises.
   * @throws AlcoveError also where the person has to decide first
   */
  async ready(): Promise<VerifiedManifest> {
    const verified = await this.verified();
    const { phase, error } = this.#state.value;
    if (phase === 'stopped' && error !== null) throw error;
    return verified;
  }

  /**
   * For a room whose genesis promises `keyHash` (empty: a room from before manifests, as bad as another key).
   * `byLink`: a link vouches for the genesis, which then goes before what this browser remembers of the server's key.
   * @throws AlcoveError
   */
  async readyFor(keyHash: Uint8Array, byLink: boolean): Promise<VerifiedManifest> {
    let verified = await this.verified();
    if (keyHash.length > 0 && !equal(keyHash, verified.keyHash)) {
      // The server may have changed its key since the page began.
      await this.refresh();
      verified = await this.verified();
    }
    if (!equal(keyHash, verified.keyHash)) {
      // What this page took at first use was not the server's: the next visit shall not go by it.
      if (this.#tookFirst) this.options.pins.forget();
      this.#tookFirst = false;
      const message = 'This server shows another key than the room promises';
      const reason = byLink ? 'manifest.link_mismatch' : 'manifest.room_mismatch';
      throw new AlcoveError('failed_precondition', reason, message);
    }
    this.#tookFirst = false;
    const { key, log } = this.#state.value;
    // The log of another key need not go on from the one that was followed here.
    const logHolds = log.fault === null || key === 'changed';
    if (byLink && logHolds) return verified;
    return this.ready();
  }

  /** The person has decided to go on, with this key and this log. */
  trust(): void {
    const { phase, verified } = this.#state.value;
    if (phase !== 'stopped' || verified === null) return;
    const knownSinceMs = this.#now();
    this.#save(verified, knownSinceMs, this.#followed?.fault === null ? this.#followed.head : null);
    this.#patch({ phase: 'ready', error: null, key: 'first-use', knownSinceMs });
    this.#patch({ log: { ...this.#state.value.log, fault: null } });
  }

  async #load(): Promise<AlcoveError | null> {
    if (this.#state.value.phase === 'failed') this.#state.set(kLoading);
    try {
      const signed = await this.options.source.manifest().catch((thrown: unknown) => {
        throw unavailable(toAlcoveError(thrown));
      });
      await this.#take(await verifyManifest(signed, this.options.verify));
      return null;
    } catch (thrown) {
      const error = toAlcoveError(thrown);
      // One that was verified before goes on holding.
      if (this.#state.value.verified === null) {
        this.#patch({ phase: 'failed', error });
      }
      return error;
    }
  }

  async #take(verified: VerifiedManifest): Promise<void> {
    const pin = this.options.pins.load();
    if (pin === null) {
      const now = this.#now();
      this.#tookFirst = true;
      this.#save(verified, now, null);
      this.#patch({ ...accepted(verified, 'first-use'), knownSinceMs: now });
      void this.#follow(verified, null);
      return;
    }
    const known = { knownKey: toHex(pin.keyHash), knownSinceMs: pin.sinceMs };
    if (equal(pin.keyHash, verified.keyHash)) {
      const { serial } = verified.manifest;
      if (serial < pin.serial) throw invalid('its serial is lower than one that was seen');
      if (serial > pin.serial) this.options.pins.save({ ...pin, serial });
      // A fault that was found on this page stays until the person has decided.
      const { fault } = this.#state.value.log;
      const go = fault === null ? accepted(verified, 'known') : { verified };
      this.#patch({ ...go, ...known });
      void this.#follow(verified, pin.head);
      return;
    }
    this.#patch({ verified, key: 'changed', ...known });
    await this.#follow(verified, pin.head);
    const changeIsSigned = await this.#changeIsSigned(pin.keyHash, verified);
    const error = stopped('manifest.key_changed');
    this.#patch({ phase: 'stopped', error, changeIsSigned });
  }

  /** Under a key that is known, a log that does not hold stops everything; without one it is only told. */
  async #follow(verified: VerifiedManifest, from: LogHead | null): Promise<void> {
    this.#followed = null;
    const fetchPage = (at: number) => this.options.source.transparencyLog(at);
    let followed: Followed;
    try {
      followed = await followLog(from ?? emptyHead(), fetchPage, this.options.verify);
    } catch {
      this.#logIsAway(from?.size ?? 0);
      return;
    }
    if (followed.size === 0 && followed.fault === null) {
      this.#logIsAway(0);
      return;
    }
    const fault = followed.fault ?? (await this.#manifestFault(followed, verified));
    this.#followed = { ...followed, fault };
    this.#patch({ log: { state: 'checked', size: followed.size, fault } });
    const pin = this.options.pins.load();
    const isPinned = pin !== null && equal(pin.keyHash, verified.keyHash);
    if (fault === null && isPinned) this.#save(verified, pin.sinceMs, followed.head);
    // Of a changed key the person is asked anyway, and knows then what the log says of it.
    if (fault !== null && this.#state.value.key !== 'changed') {
      this.#patch({ phase: 'stopped', error: stopped('manifest.log_fault') });
    }
  }

  /** A fault that was found stays: withholding the log does not undo it. */
  #logIsAway(size: number): void {
    const { fault } = this.#state.value.log;
    this.#patch({ log: { state: 'unavailable', size, fault } });
  }

  /** What the log says against the manifest, once it was followed to its end. */
  async #manifestFault(followed: Followed, verified: VerifiedManifest): Promise<LogFault | null> {
    const { head, size, keys } = followed;
    if (head.size < size) return null;
    if (keys.at(-1) !== toHex(verified.key)) return 'other-key';
    if (head.manifest.length === 0 || equal(head.manifest, verified.sha256)) return null;
    // It may have changed between the two requests.
    const signed = await this.options.source.manifest().catch(() => null);
    if (signed === null) return null;
    const again = await verifyManifest(signed, this.options.verify).catch(() => null);
    const isLast =
      again !== null && equal(again.key, verified.key) && equal(again.sha256, head.manifest);
    if (!isLast || again.manifest.serial < verified.manifest.serial) return 'unlogged';
    this.#patch({ verified: again });
    return null;
  }

  async #changeIsSigned(oldHash: Uint8Array, verified: VerifiedManifest): Promise<boolean> {
    const followed = this.#followed;
    if (followed?.fault !== null || followed.keys.at(-1) !== toHex(verified.key)) return false;
    for (const key of followed.keys) {
      const bytes = Uint8Array.from(key.match(/../g) ?? [], (pair) => parseInt(pair, 16));
      if (equal(await sha256(bytes), oldHash)) return true;
    }
    return false;
  }

  #save({ keyHash, manifest }: VerifiedManifest, sinceMs: number, head: LogHead | null): void {
    const pin = this.options.pins.load();
    const seen = pin !== null && equal(pin.keyHash, keyHash) ? pin.serial : 0n;
    const serial = manifest.serial > seen ? manifest.serial : seen;
    this.options.pins.save({ keyHash, serial, sinceMs, head });
  }

  #now(): number {
    return this.options.nowMs?.() ?? Date.now();
  }

  #patch(change: Partial<ManifestState>): void {
    this.#state.update((state) => ({ ...state, ...change }));
  }
}

function accepted(verified: VerifiedManifest, key: KeyState): Partial<ManifestState> {
  return { phase: 'ready', error: null, verified, key, changeIsSigned: false };
}

function unavailable(error: AlcoveError): AlcoveError {
  if (error.reason === 'offer.denied') return error;
  return new AlcoveError('unavailable', 'manifest.unavailable', error.message);
}

function stopped(reason: string): AlcoveError {
  return new AlcoveError('failed_precondition', reason, 'The person has to decide first');
}
