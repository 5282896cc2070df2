// When frames go from one epoch to the next, on virtual time.

import { beforeEach, describe, expect, it } from 'vitest';
import { FrameEpochs } from '../../src/keys/frame_epochs';
import { KeyedFrames } from '../../src/keys/frames';
import { seedOf } from './log_fixture';

const epoch = (number: number) => ({ number, secret: seedOf(`epoch ${String(number)}`) });
const calm = { eject: false, required: true };

let frames: KeyedFrames;
let epochs: FrameEpochs;

beforeEach(() => {
  frames = new KeyedFrames(160);
  epochs = new FrameEpochs(frames);
  epochs.begin(epoch(1));
});

function at(nowMs: number): number | null {
  epochs.handleTimeout(nowMs);
  return frames.sendEpoch;
}

describe('what is sent with', () => {
  it('is the epoch of a ratchet soon: whom it lets in hears nothing before', () => {
    epochs.advance(0, epoch(2), { eject: false, required: false });
    expect(at(399)).toBe(1);
    expect(at(400)).toBe(2);
  });

  it('is the first epoch at once, and a fresh one after a second', () => {
    expect(at(0)).toBe(1);
    epochs.advance(100, epoch(2), calm);
    expect(at(1_099)).toBe(1);
    expect(at(1_100)).toBe(2);
  });

  it('is the epoch of an eject at once, which overtakes what waits', () => {
    epochs.advance(0, epoch(2), calm);
    epochs.advance(100, epoch(3), { eject: true, required: true });
    expect(at(100)).toBe(3);
    expect(at(2_000)).toBe(3);
  });

  it('ends where a fresh epoch is missing, although a newer one comes before that', () => {
    epochs.missing(0, 2, calm);
    epochs.advance(900, epoch(3), calm);
    expect(at(999)).toBe(1);
    expect(at(1_000)).toBeNull();
    expect(epochs.stuck).toBe(true);
    expect(at(1_899)).toBeNull();
    expect(at(1_900)).toBe(3);
    expect(epochs.stuck).toBe(false);
  });

  it('waits for the same time where a missing epoch is given before it', () => {
    epochs.missing(0, 2, calm);
    epochs.supply(500, epoch(2));
    expect(at(999)).toBe(1);
    expect(at(1_000)).toBe(2);
  });

  it('is a missing epoch at once where it is given later', () => {
    epochs.missing(0, 2, calm);
    expect(at(1_000)).toBeNull();
    epochs.supply(3_000, epoch(2));
    expect(frames.sendEpoch).toBe(2);
  });

  it('goes on where nobody can follow a ratchet', () => {
    epochs.missing(0, 2, { eject: false, required: false });
    expect(at(20_000)).toBe(1);
    expect(frames.liveEpochs()).toEqual([1]);
    expect(epochs.stuck).toBe(false);
  });

  it('is nothing for who came in without an epoch, until it is given', () => {
    const late = new KeyedFrames(160);
    const missing = new FrameEpochs(late);
    expect(missing.stuck).toBe(true);
    missing.supply(0, epoch(5));
    expect(late.sendEpoch).toBe(5);
    expect(missing.stuck).toBe(false);
  });
});

describe('what is received with', () => {
  it('is the epoch before for 10 s, after an eject for 2 s', () => {
    epochs.advance(0, epoch(2), calm);
    at(9_999);
    expect(frames.liveEpochs()).toEqual([1, 2]);
    at(10_000);
    expect(frames.liveEpochs()).toEqual([2]);
    epochs.advance(11_000, epoch(3), { eject: true, required: true });
    at(12_999);
    expect(frames.liveEpochs()).toEqual([2, 3]);
    at(13_000);
    expect(frames.liveEpochs()).toEqual([3]);
  });

  it('ends also where the fresh epoch after it is missing', () => {
    epochs.missing(0, 2, calm);
    at(10_000);
    expect(frames.liveEpochs()).toEqual([]);
  });
});
