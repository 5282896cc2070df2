// A member's frames (docs/protocol/room-keys.md, "Frames"): a key for each (epoch, seat, leaf), constant
// size, and a window against repeated frames. Told which epochs live, who has which seat and which
// epoch to send with; what is timed is the caller's.

import { kNoBytes, toHex } from './bytes';
import { baseKey } from './epochs';
import type { Epoch } from './epochs';
import { ReplayWindow } from './replay_window';
import { kSFrameTagSize, parseSFrameHeader, SFrameKey, sframeHeaderSize } from './sframe';
import type { SFrameHeader } from './sframe';

export const kMaxLiveEpochs = 8;

const kLengthSize = 2;
const kMaxKeyId = (255n << 4n) | 15n;

export type OpenDrop =
  /** Not exactly the bucket. */
  | 'bad_size'
  /** No SFrame header, or seat 0. */
  | 'bad_header'
  /** Of an epoch before the oldest live one. */
  | 'old_epoch'
  /** Repeated, or older than the window. */
  | 'replayed'
  /** Does not open with the key of the seat's holder. */
  | 'bad_tag'
  /** Length 0 or past the end, or a byte after the frame that is not zero. */
  | 'bad_padding';

export type SealDrop =
  /** Empty, or does not fit the bucket. */
  | 'too_long'
  /** No seat, or no epoch to send with. */
  | 'not_ready';

export interface FrameCounts extends Record<OpenDrop | SealDrop, number> {
  sealed: number;
  opened: number;
}

export type OpenResult =
  | {
      kind: 'opened';
      seat: number;
      /** Leaf hash of the seat's holder, whose key opened it. */
      leaf: Uint8Array;
      epoch: number;
      opus: Uint8Array<ArrayBuffer>;
    }
  /** Newer than every live one: may be held. */
  | { kind: 'unknown-epoch' }
  /** Nobody has this seat, as far as the log is known here: may be held. */
  | { kind: 'empty-seat'; seat: number }
  | { kind: 'dropped'; reason: OpenDrop };

/** Where a member speaks: its seat, and its leaf hash. */
export interface OwnSeat {
  seat: number;
  leaf: Uint8Array;
}

interface HolderKeys {
  key: SFrameKey;
  window: ReplayWindow;
  /** Of the next frame sent with this key. */
  counter: bigint;
}

interface LiveEpoch extends Epoch {
  /** By seat and leaf. Kept as long as the epoch, so that no counter is ever used twice. */
  holders: Map<string, HolderKeys>;
}

export class KeyedFrames {
  readonly counts: FrameCounts = {
    sealed: 0,
    opened: 0,
    bad_size: 0,
    bad_header: 0,
    old_epoch: 0,
    replayed: 0,
    bad_tag: 0,
    bad_padding: 0,
    too_long: 0,
    not_ready: 0,
  };
  /** In the order of their numbers. */
  #epochs: LiveEpoch[] = [];
  #holders = new Map<number, { leaf: Uint8Array; name: string }>();
  #own: OwnSeat | null = null;
  #sendEpoch: number | null = null;
  /** Highest number ever sealed with: an epoch is not taken up again. */
  #lastSealed = -1;

  /** `bucket`: the size of every payload. */
  constructor(private readonly bucket: number) {}

  /** Frames of this epoch can be opened from now on. Above 8, the oldest goes. */
  addEpoch(epoch: Epoch): void {
    if (this.#epochs.some(({ number }) => number === epoch.number)) return;
    this.#epochs.push({ ...epoch, holders: new Map() });
    this.#epochs.sort((left, right) => left.number - right.number);
    if (this.#epochs.length > kMaxLiveEpochs) this.#epochs.shift();
  }

  removeEpoch(number: number): void {
    this.#epochs = this.#epochs.filter((epoch) => epoch.number !== number);
  }

  /** In the order of their numbers. */
  liveEpochs(): number[] {
    return this.#epochs.map(({ number }) => number);
  }

  /** The epoch of own frames; null: nothing is sent. */
  setSendEpoch(number: number | null): void {
    this.#sendEpoch = number;
  }

  get sendEpoch(): number | null {
    return this.#sendEpoch;
  }

  /** Leaf hashes by seat, as the log says. */
  setHolders(holders: ReadonlyMap<number, Uint8Array>): void {
    this.#holders = new Map();
    for (const [seat, leaf] of holders) {
      this.#holders.set(seat, { leaf, name: `${String(seat)} ${toHex(leaf)}` });
    }
  }

  /** Null: a listener. */
  setOwn(own: OwnSeat | null): void {
    this.#own = own;
  }

  /** The longest Opus frame that fits for sure, whatever the counter. */
  get capacity(): number {
    return this.bucket - sframeHeaderSize(kMaxKeyId, 0xffff_ffffn) - kSFrameTagSize - kLengthSize;
  }

  /** Exactly one bucket, or why there is none (counted). */
  seal(opus: Uint8Array): Uint8Array<ArrayBuffer> | SealDrop {
    const epoch = this.#epochs.find(({ number }) => number === this.#sendEpoch);
    if (this.#own === null || epoch === undefined || epoch.number < this.#lastSealed) {
      return this.#refuse('not_ready');
    }
    const { seat, leaf } = this.#own;
    const holder = keysOf(epoch, seat, leaf, `${String(seat)} ${toHex(leaf)}`);
    const header = sframeHeaderSize(holder.key.keyId, holder.counter);
    const room = this.bucket - header - kSFrameTagSize;
    if (opus.length === 0 || opus.length > room - kLengthSize) return this.#refuse('too_long');
    const plaintext = new Uint8Array(room);
    plaintext[0] = opus.length >> 8;
    plaintext[1] = opus.length & 0xff;
    plaintext.set(opus, kLengthSize);
    const frame = holder.key.seal(holder.counter, kNoBytes, plaintext);
    holder.counter += 1n;
    this.#lastSealed = epoch.number;
    this.counts.sealed += 1;
    return frame;
  }

  /** Every byte is hostile. What may be held is not counted. */
  open(payload: Uint8Array): OpenResult {
    if (payload.length !== this.bucket) return this.#drop('bad_size');
    const header = parseSFrameHeader(payload);
    if (header === null || header.keyId > kMaxKeyId || header.keyId < 16n) {
      return this.#drop('bad_header');
    }
    const keyId = Number(header.keyId);
    const epoch = this.#findEpoch(keyId & 15);
    if (epoch === 'unknown') return { kind: 'unknown-epoch' };
    if (epoch === 'old') return this.#drop('old_epoch');
    return this.#openWith(epoch, keyId >> 4, header, payload);
  }

  #openWith(epoch: LiveEpoch, seat: number, header: SFrameHeader, payload: Uint8Array): OpenResult {
    const holder = this.#holders.get(seat);
    if (holder === undefined) return { kind: 'empty-seat', seat };
    const { key, window } = keysOf(epoch, seat, holder.leaf, holder.name);
    if (!window.accepts(header.counter)) return this.#drop('replayed');
    const plaintext = key.open(header, kNoBytes, payload);
    if (plaintext === null) return this.#drop('bad_tag');
    window.add(header.counter);
    const opus = unpad(plaintext);
    if (opus === null) return this.#drop('bad_padding');
    this.counts.opened += 1;
    return { kind: 'opened', seat, leaf: holder.leaf, epoch: epoch.number, opus };
  }

  /** The newest live one with this number modulo 16. */
  #findEpoch(low: number): LiveEpoch | 'unknown' | 'old' {
    const found = this.#epochs.findLast(({ number }) => (number & 15) === low);
    if (found !== undefined) return found;
    const newest = this.#epochs.at(-1);
    if (newest === undefined) return 'unknown';
    const ahead = (low - newest.number) & 15;
    return ahead <= kMaxLiveEpochs ? 'unknown' : 'old';
  }

  #drop(reason: OpenDrop): OpenResult {
    this.counts[reason] += 1;
    return { kind: 'dropped', reason };
  }

  #refuse(reason: SealDrop): SealDrop {
    this.counts[reason] += 1;
    return reason;
  }
}

function keysOf(epoch: LiveEpoch, seat: number, leaf: Uint8Array, name: string): HolderKeys {
  const known = epoch.holders.get(name);
  if (known !== undefined) return known;
  const keyId = (BigInt(seat) << 4n) | BigInt(epoch.number & 15);
  const made = {
    key: new SFrameKey(baseKey(epoch.secret, seat, leaf), keyId),
    window: new ReplayWindow(),
    counter: 0n,
  };
  epoch.holders.set(name, made);
  return made;
}

/** The Opus frame in u16 length || frame || zeros; null when it is anything else. */
function unpad(plaintext: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const length = ((plaintext[0] ?? 0) << 8) | (plaintext[1] ?? 0);
  const end = kLengthSize + length;
  if (length === 0 || end > plaintext.length) return null;
  for (let i = end; i < plaintext.length; ++i) {
    if (plaintext[i] !== 0) return null;
  }
  const opus = new Uint8Array(length);
  opus.set(plaintext.subarray(kLengthSize, end));
  return opus;
}
