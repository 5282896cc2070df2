import { describe, expect, it } from 'vitest';
import { frameCapacity, kFrameHeaderSize, packFrame, unpackFrame } from '../src/media/framing';

const kBucket = 160;

function opusOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + 1) & 0xff);
}

describe('packFrame', () => {
  it('lays out seat, length, frame and zeros in exactly one bucket', () => {
    const packet = packFrame(9, Uint8Array.of(0xaa, 0xbb), kBucket);
    expect(packet).not.toBeNull();
    expect(packet).toHaveLength(kBucket);
    expect([...(packet ?? []).slice(0, 6)]).toEqual([9, 0, 2, 0xaa, 0xbb, 0]);
  });

  it('carries every length that fits and refuses the next', () => {
    for (let length = 1; length <= frameCapacity(kBucket); ++length) {
      const packet = packFrame(255, opusOf(length), kBucket);
      expect(unpackFrame(packet ?? new Uint8Array(), kBucket)).toEqual({
        seat: 255,
        opus: opusOf(length),
      });
    }
    expect(packFrame(1, opusOf(frameCapacity(kBucket) + 1), kBucket)).toBeNull();
    expect(packFrame(1, new Uint8Array(), kBucket)).toBeNull();
  });

  it('uses both bytes of the length', () => {
    const packet = packFrame(1, opusOf(700), 1000);
    expect([...(packet ?? []).slice(1, 3)]).toEqual([2, 188]);
  });

  it('refuses a seat that is none', () => {
    for (const seat of [0, -1, 256, 1.5, NaN]) {
      expect(packFrame(seat, opusOf(10), kBucket)).toBeNull();
    }
  });
});

describe('unpackFrame, hostile input', () => {
  it('drops any other size', () => {
    for (const size of [0, 1, 2, 3, kBucket - 1, kBucket + 1, 1200]) {
      expect(unpackFrame(new Uint8Array(size), kBucket)).toBe('size');
    }
    expect(unpackFrame(new Uint8Array(2), 2)).toBe('size');
  });

  it('drops seat 0, a length of 0 and a length beyond the bucket', () => {
    const packet = new Uint8Array(kBucket);
    packet[2] = 10;
    expect(unpackFrame(packet, kBucket)).toBe('seat');
    packet[0] = 1;
    packet[2] = 0;
    expect(unpackFrame(packet, kBucket)).toBe('length');
    packet[2] = frameCapacity(kBucket) + 1;
    expect(unpackFrame(packet, kBucket)).toBe('length');
    packet[1] = 0xff;
    packet[2] = 0xff;
    expect(unpackFrame(packet, kBucket)).toBe('length');
  });

  it('drops padding that is not zero, wherever it is', () => {
    for (let at = kFrameHeaderSize + 5; at < kBucket; ++at) {
      const packet = packFrame(1, opusOf(5), kBucket);
      if (packet === null) throw new Error('unreachable');
      packet[at] = 1;
      expect(unpackFrame(packet, kBucket)).toBe('padding');
    }
  });

  it('never throws on random bytes', () => {
    let state = 1;
    const next = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
    for (let round = 0; round < 5000; ++round) {
      const size = round % 3 === 0 ? next() % 400 : kBucket;
      const packet = Uint8Array.from({ length: size }, () => next() & 0xff);
      const result = unpackFrame(packet, kBucket);
      expect(typeof result === 'string' || result.seat > 0).toBe(true);
    }
  });

  it('copies: the packet may be reused', () => {
    const packet = packFrame(3, opusOf(4), kBucket);
    if (packet === null) throw new Error('unreachable');
    const opened = unpackFrame(packet, kBucket);
    packet.fill(0);
    expect(opened).toEqual({ seat: 3, opus: opusOf(4) });
  });
});
