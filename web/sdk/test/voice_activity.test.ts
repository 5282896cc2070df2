import { describe, expect, it } from 'vitest';
import { VoiceActivity } from '../src/media/voice_activity';

const kRate = 48_000;
const kBlock = 128;

/** Deterministic noise between -1 and 1. */
function noise(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function amplitude(db: number): number {
  return 10 ** (db / 20);
}

/** Pushes `ms` of noise at a level (RMS, roughly) and gives the times at which the answer was yes. */
function play(vad: VoiceActivity, db: number, ms: number, next = noise()): number[] {
  const active: number[] = [];
  const scale = amplitude(db) * Math.sqrt(3);
  for (let at = 0; at < (ms / 1000) * kRate; at += kBlock) {
    const block = Float32Array.from({ length: kBlock }, () => next() * scale);
    if (vad.push(block)) active.push(((at + kBlock) / kRate) * 1000);
  }
  return active;
}

describe('VoiceActivity', () => {
  it('begins within 30 ms of speech', () => {
    for (const speech of [-50, -40, -20, -6]) {
      const vad = new VoiceActivity({ sampleRate: kRate });
      expect(play(vad, -75, 1000)).toEqual([]);
      expect(play(vad, speech, 200)[0]).toBeLessThan(30);
    }
  });

  it('goes on for at least a second after the last word, and then stops', () => {
    const vad = new VoiceActivity({ sampleRate: kRate, hangoverMs: 10 });
    play(vad, -75, 500);
    play(vad, -25, 500);
    const after = play(vad, -75, 3000);
    const last = after[after.length - 1] ?? 0;
    expect(last).toBeGreaterThanOrEqual(1000);
    expect(last).toBeLessThan(1400);
    expect(vad.active).toBe(false);
  });

  it('bridges the pauses inside speech', () => {
    const vad = new VoiceActivity({ sampleRate: kRate });
    play(vad, -75, 500);
    for (let word = 0; word < 8; ++word) {
      play(vad, -28, 250);
      expect(play(vad, -75, 700)).toHaveLength(Math.ceil((0.7 * kRate) / kBlock));
    }
  });

  it('is never voice in digital silence', () => {
    const vad = new VoiceActivity({ sampleRate: kRate });
    for (let i = 0; i < 2000; ++i) expect(vad.push(new Float32Array(kBlock))).toBe(false);
    expect(vad.level).toBe(0);
  });

  it('gets used to a steady noise, and still hears speech above it', () => {
    const vad = new VoiceActivity({ sampleRate: kRate });
    const next = noise(7);
    play(vad, -45, 40_000, next);
    expect(vad.active).toBe(false);
    expect(play(vad, -25, 100, next).length).toBeGreaterThan(0);
  });

  it('does not take one crackle for speech', () => {
    const vad = new VoiceActivity({ sampleRate: kRate });
    play(vad, -75, 500);
    const crackle = new Float32Array(kBlock);
    crackle[3] = 0.01;
    expect(vad.push(crackle)).toBe(false);
  });

  it('survives what a broken driver gives', () => {
    const vad = new VoiceActivity({ sampleRate: kRate });
    for (const bad of [NaN, Infinity, -Infinity]) {
      vad.push(new Float32Array(kBlock).fill(bad));
      expect(Number.isFinite(vad.level)).toBe(true);
      expect(Number.isFinite(vad.floorDb)).toBe(true);
    }
    expect(vad.push(new Float32Array(0))).toBe(false);
    expect(play(vad, -20, 100).length).toBeGreaterThan(0);
  });

  it('shows a level between 0 and 1', () => {
    const vad = new VoiceActivity({ sampleRate: kRate });
    play(vad, 0, 200);
    expect(vad.level).toBeGreaterThan(0.9);
    expect(vad.level).toBeLessThanOrEqual(1);
  });
});
