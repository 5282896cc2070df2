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
const kMinKeyId = 1n << 4n;
const kMaxKeyId = (255n << 4n) | 15n;

/** More senders of one epoch than this, holders who left included, are not opened. */
const kMaxSendersOfEpoch = 512;

export type OpenDrop =
  /** Not exactly the bucket. */
  | 'bad_size'
  /** No SFrame header in its shortest form. */
  | 'bad_header'
  /** 0, or above 255. */
  | 'bad_seat'
  /** Of an epoch that is not kept any more. */
  | 'old_epoch'
  /** Repeated, or older than the window. */
  | 'replayed'
  /** Not sealed with the key of the seat's holder. */
  | 'not_opened'
  /** 0, or past the end. */
  | 'bad_length'
  /** A byte after the frame is not zero. */
  | 'bad_padding';

export type SealDrop =
  /** Empty, or does not fit the bucket. */
  | 'too_long'
  /** No seat, or no epoch to send with. */
  | 'no_seat';

/** unknown_epoch and empty_seat also count frames that are held and opened later. */
export type FrameCounts = Record<
  OpenDrop | SealDrop | 'sealed' | 'opened' | 'unknown_epoch' | 'empty_seat',
  number
>;

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
  /** Seat 0: not known. */
  | { kind: 'dropped'; reason: OpenDrop; seat: number };

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
    too_long: 0,
    no_seat: 0,
    bad_size: 0,
    bad_header: 0,
    bad_seat: 0,
    bad_length: 0,
    bad_padding: 0,
    unknown_epoch: 0,
    empty_seat: 0,
    old_epoch: 0,
    replayed: 0,
    not_opened: 0,
  };
  /** In the order of their numbers. */
  #epochs: LiveEpoch[] = [];
  #holders = new Map<number, { leaf: Uint8Array; name: string }>();
  #own: OwnSeat | null = null;
  #sendEpoch: number | null = null;
  #newestForgotten = -1;

  /** `bucket`: the size of every payload. */
  constructor(private readonly bucket: number) {}

  /**
   * Frames of this epoch can be opened from now on. A ninth live epoch forgets the oldest. False, and nothing
   * happens, for one that is live already, or not newer than one that was forgotten: a counter never runs
   * twice under one key.
   */
  addEpoch(epoch: Epoch): boolean {
    const { number, secret } = epoch;
    if (number <= this.#newestForgotten) return false;
    if (this.#epochs.some((live) => live.number === number)) return false;
    if (this.#epochs.length === kMaxLiveEpochs) {
      const oldest = this.#epochs[0]?.number ?? 0;
      if (number < oldest) return false;
      this.removeEpoch(oldest);
    }
    this.#epochs.push({ number, secret, holders: new Map() });
    this.#epochs.sort((left, right) => left.number - right.number);
    return true;
  }

  /** Sending in it ends. */
  removeEpoch(number: number): void {
    if (!this.#epochs.some((live) => live.number === number)) return;
    this.#epochs = this.#epochs.filter((live) => live.number !== number);
    this.#newestForgotten = Math.max(this.#newestForgotten, number);
    if (this.#sendEpoch === number) this.#sendEpoch = null;
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
    if (this.#own === null || epoch === undefined) return this.#refuse('no_seat');
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
    this.counts.sealed += 1;
    return frame;
  }

  /** Every byte is hostile. */
  open(payload: Uint8Array): OpenResult {
    if (payload.length !== this.bucket) return this.#drop('bad_size', 0);
    const header = parseSFrameHeader(payload);
    if (header === null) return this.#drop('bad_header', 0);
    if (header.keyId < kMinKeyId || header.keyId > kMaxKeyId) return this.#drop('bad_seat', 0);
    const keyId = Number(header.keyId);
    const seat = keyId >> 4;
    const epoch = this.#findEpoch(keyId & 15);
    if (epoch === 'old') return this.#drop('old_epoch', seat);
    if (epoch === 'unknown') {
      this.counts.unknown_epoch += 1;
      return { kind: 'unknown-epoch' };
    }
    const holder = this.#holders.get(seat);
    if (holder === undefined) {
      this.counts.empty_seat += 1;
      return { kind: 'empty-seat', seat };
    }
    return this.#openWith(epoch, { seat, ...holder }, header, payload);
  }

  #openWith(
    epoch: LiveEpoch,
    { seat, leaf, name }: { seat: number; leaf: Uint8Array; name: string },
    header: SFrameHeader,
    payload: Uint8Array,
  ): OpenResult {
    if (epoch.holders.size >= kMaxSendersOfEpoch && !epoch.holders.has(name)) {
      return this.#drop('not_opened', seat);
    }
    const { key, window } = keysOf(epoch, seat, leaf, name);
    if (!window.accepts(header.counter)) return this.#drop('replayed', seat);
    const plaintext = key.open(header, kNoBytes, payload);
    if (plaintext === null) return this.#drop('not_opened', seat);
    // Also of a frame that is badly padded: its sender used the counter.
    window.add(header.counter);
    const opus = unpad(plaintext);
    if (typeof opus === 'string') return this.#drop(opus, seat);
    this.counts.opened += 1;
    return { kind: 'opened', seat, leaf, epoch: epoch.number, opus };
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

  #drop(reason: OpenDrop, seat: number): OpenResult {
    this.counts[reason] += 1;
    return { kind: 'dropped', reason, seat };
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

/** The Opus frame in u16 length || frame || zeros. */
function unpad(plaintext: Uint8Array): Uint8Array<ArrayBuffer> | 'bad_length' | 'bad_padding' {
  const length = ((plaintext[0] ?? 0) << 8) | (plaintext[1] ?? 0);
  const end = kLengthSize + length;
  if (length === 0 || end > plaintext.length) return 'bad_length';
  for (let i = end; i < plaintext.length; ++i) {
    if (plaintext[i] !== 0) return 'bad_padding';
  }
  const opus = new Uint8Array(length);
  opus.set(plaintext.subarray(kLengthSize, end));
  return opus;
}
