import { describe, expect, it } from 'vitest';
import { baseKey } from '../../src/keys/epochs';
import { KeyedFrames, kMaxLiveEpochs } from '../../src/keys/frames';
import { ReplayWindow } from '../../src/keys/replay_window';
import { parseSFrameHeader, SFrameKey, writeSFrameHeader } from '../../src/keys/sframe';
import { seedOf } from './log_fixture';

const kBucket = 160;
const kSeat = 9;
const leaf = seedOf('leaf');

function epochOf(number: number) {
  return { number, secret: seedOf(`epoch ${String(number)}`) };
}

function opusOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + 1) & 0xff);
}

function pair(epoch = 5): { sender: KeyedFrames; receiver: KeyedFrames } {
  const sender = new KeyedFrames(kBucket);
  sender.addEpoch(epochOf(epoch));
  sender.setSendEpoch(epoch);
  sender.setOwn({ seat: kSeat, leaf });
  const receiver = new KeyedFrames(kBucket);
  receiver.addEpoch(epochOf(epoch));
  receiver.setHolders(new Map([[kSeat, leaf]]));
  return { sender, receiver };
}

function sealed(sender: KeyedFrames, opus = opusOf(60)): Uint8Array {
  const frame = sender.seal(opus);
  if (typeof frame === 'string') throw new Error(frame);
  return frame;
}

/** Sealed with the right key, whatever it says. */
function forged(plaintext: Uint8Array, counter: bigint): Uint8Array {
  const key = new SFrameKey(baseKey(epochOf(5).secret, kSeat, leaf), BigInt((kSeat << 4) | 5));
  return key.seal(counter, new Uint8Array(), plaintext);
}

describe('KeyedFrames', () => {
  it('carries every length that fits, always at the same size', () => {
    const { sender, receiver } = pair();
    for (let length = 1; length <= sender.capacity; ++length) {
      const frame = sealed(sender, opusOf(length));
      expect(frame).toHaveLength(kBucket);
      const opened = receiver.open(frame);
      expect(opened).toEqual({ kind: 'opened', seat: kSeat, leaf, epoch: 5, opus: opusOf(length) });
    }
    expect(receiver.counts.opened).toBe(sender.counts.sealed);
  });

  it('refuses what is empty or does not fit', () => {
    const { sender } = pair();
    expect(sender.seal(new Uint8Array())).toBe('too_long');
    // The first header has no byte of a counter.
    const room = kBucket - writeSFrameHeader(BigInt((kSeat << 4) | 5), 0n).length - 16 - 2;
    expect(sender.seal(opusOf(room + 1))).toBe('too_long');
    expect(sealed(sender, opusOf(room))).toHaveLength(kBucket);
    expect(sender.counts.too_long).toBe(2);
  });

  it('sends nothing without a seat or an epoch', () => {
    const { sender } = pair();
    sender.setOwn(null);
    expect(sender.seal(opusOf(1))).toBe('no_seat');
    sender.setOwn({ seat: kSeat, leaf });
    sender.setSendEpoch(6);
    expect(sender.seal(opusOf(1))).toBe('no_seat');
    sender.setSendEpoch(5);
    sender.removeEpoch(5);
    expect(sender.sendEpoch).toBeNull();
    expect(sender.seal(opusOf(1))).toBe('no_seat');
  });

  it('never uses a counter twice, whatever happens to seat and epoch', () => {
    const { sender } = pair();
    sealed(sender);
    sender.setOwn(null);
    sender.setOwn({ seat: kSeat, leaf });
    sender.setSendEpoch(null);
    sender.setSendEpoch(5);
    expect(sender.addEpoch(epochOf(5))).toBe(false);
    expect(parseSFrameHeader(sealed(sender))?.counter).toBe(1n);
    sender.removeEpoch(5);
    expect(sender.addEpoch(epochOf(5))).toBe(false);
    expect(sender.addEpoch(epochOf(4))).toBe(false);
    expect(sender.addEpoch(epochOf(6))).toBe(true);
  });

  it('drops what is repeated', () => {
    const { sender, receiver } = pair();
    const frames = Array.from({ length: 130 }, () => sealed(sender));
    const kinds = (index: number) => receiver.open(frames[index] ?? new Uint8Array());
    expect(kinds(1).kind).toBe('opened');
    expect(kinds(1)).toMatchObject({ kind: 'dropped', reason: 'replayed', seat: kSeat });
    expect(kinds(129).kind).toBe('opened');
    expect(kinds(2).kind).toBe('opened');
    expect(kinds(2)).toMatchObject({ reason: 'replayed' });
    expect(kinds(0)).toMatchObject({ reason: 'replayed' });
    expect(receiver.counts.replayed).toBe(3);
  });

  it('drops what was changed, and then still takes the frame itself', () => {
    const { sender, receiver } = pair();
    const frame = sealed(sender);
    const changed = frame.slice();
    changed[kBucket - 1] = (changed[kBucket - 1] ?? 0) ^ 1;
    expect(receiver.open(changed)).toMatchObject({ reason: 'not_opened', seat: kSeat });
    expect(receiver.open(frame).kind).toBe('opened');
  });

  it.each([
    ['bad_length', (plain: Uint8Array) => plain.set([0, 0])],
    ['bad_length', (plain: Uint8Array) => plain.set([0, plain.length - 1])],
    ['bad_padding', (plain: Uint8Array) => plain.set([0, 1, 5], 0) ?? plain.set([1], 4)],
    [
      'bad_padding',
      (plain: Uint8Array) => plain.set([0, 1, 5]) ?? plain.set([1], plain.length - 1),
    ],
  ])('drops %s of whoever has the key', (reason, change) => {
    const { receiver } = pair();
    const plaintext = new Uint8Array(kBucket - 2 - 16);
    change(plaintext);
    const frame = forged(plaintext, 3n);
    expect(frame).toHaveLength(kBucket);
    expect(receiver.open(frame)).toMatchObject({ kind: 'dropped', reason });
    expect(receiver.open(frame)).toMatchObject({ reason: 'replayed' });
  });

  it('drops other sizes, headers and seats', () => {
    const { sender, receiver } = pair();
    expect(receiver.open(sealed(sender).subarray(1))).toMatchObject({ reason: 'bad_size' });
    const frame = (start: number[]) => {
      const bytes = new Uint8Array(kBucket);
      bytes.set(start);
      return bytes;
    };
    expect(receiver.open(frame([0x80, 0x01]))).toMatchObject({ reason: 'bad_header' });
    expect(receiver.open(frame([0x50]))).toMatchObject({ reason: 'bad_seat' });
    expect(receiver.open(frame([0x90, 0x10, 0x05]))).toMatchObject({ reason: 'bad_seat' });
    expect(receiver.counts).toMatchObject({ bad_size: 1, bad_header: 1, bad_seat: 2 });
  });

  it('tells an epoch to come from one that is over, and an empty seat', () => {
    const { receiver } = pair(40);
    const from = (number: number) => receiver.open(sealed(pair(number).sender));
    for (const ahead of [1, 2, 8]) expect(from(40 + ahead)).toEqual({ kind: 'unknown-epoch' });
    for (const behind of [1, 2, 7])
      expect(from(40 - behind)).toMatchObject({ reason: 'old_epoch' });
    receiver.setHolders(new Map());
    expect(from(40)).toEqual({ kind: 'empty-seat', seat: kSeat });
    receiver.setHolders(new Map([[kSeat, seedOf('somebody else')]]));
    expect(from(40)).toMatchObject({ reason: 'not_opened' });
    const nobody = new KeyedFrames(kBucket);
    expect(nobody.open(sealed(pair(7).sender))).toEqual({ kind: 'unknown-epoch' });
  });

  it('keeps the newest eight epochs', () => {
    const { receiver } = pair(1);
    for (let number = 2; number <= kMaxLiveEpochs + 2; ++number) receiver.addEpoch(epochOf(number));
    expect(receiver.liveEpochs()).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
    expect(receiver.open(sealed(pair(10).sender)).kind).toBe('opened');
    expect(receiver.open(sealed(pair(3).sender)).kind).toBe('opened');
  });
});

describe('ReplayWindow', () => {
  it('takes each of the newest 128 counters once', () => {
    const window = new ReplayWindow();
    const take = (counter: bigint) => {
      const accepted = window.accepts(counter);
      if (accepted) window.add(counter);
      return accepted;
    };
    expect(take(1000n)).toBe(true);
    expect(take(1000n)).toBe(false);
    expect(take(873n)).toBe(true);
    expect(take(872n)).toBe(false);
    expect(take(1127n)).toBe(true);
    expect(take(1000n)).toBe(false);
    expect(take(1001n)).toBe(true);
    expect(take(0xffff_ffff_ffff_ffffn)).toBe(true);
    expect(take(1127n)).toBe(false);
    expect(take(0xffff_ffff_ffff_fffen)).toBe(true);
  });
});
