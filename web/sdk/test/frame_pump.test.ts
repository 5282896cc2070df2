import { describe, expect, it } from 'vitest';
import { FramePump } from '../src/media/frame_pump';
import { SendGate, kVoiceTimeoutMs } from '../src/media/send_gate';
import type { FromWorker } from '../src/media/worker_messages';
import { KeyedFrames } from '../src/keys/frames';
import type { OpenResult } from '../src/keys/frames';

const kBucket = 160;

/** Frames of seats 1 to 9, in epoch 1. */
function keyedFrames(own: number, epoch = 1): KeyedFrames {
  const frames = new KeyedFrames(kBucket);
  frames.addEpoch({ number: epoch, secret: new Uint8Array(32).fill(epoch) });
  frames.setHolders(new Map(Array.from({ length: 9 }, (_, i) => [i + 1, leafOf(i + 1)])));
  frames.setOwn({ seat: own, leaf: leafOf(own) });
  frames.setSendEpoch(epoch);
  return frames;
}

function leafOf(seat: number): Uint8Array {
  return new Uint8Array(32).fill(seat);
}

function setUp() {
  const gate = new SendGate();
  const posted: FromWorker[] = [];
  const noted: OpenResult[] = [];
  const keys = {
    frames: keyedFrames(5) as KeyedFrames | null,
    fresh: true,
    maySend: () => keys.fresh,
    noteFrame: (_: number, result: OpenResult) => noted.push(result),
  };
  const pump = new FramePump(gate, (message) => posted.push(message), keys);
  return { gate, posted, pump, keys, noted };
}

function frame(length = 80) {
  return { data: new Uint8Array(length).fill(7).buffer };
}

const kOpen = { onStage: true, muted: false, reconnecting: false };

describe('SendGate', () => {
  it('is closed to begin with', () => {
    expect(new SendGate().verdict(0)).toBe('listener');
  });

  it('is open only where everything allows it', () => {
    const gate = new SendGate();
    gate.set(kOpen);
    gate.setVoice(true, 0);
    expect(gate.verdict(10)).toBe('open');
    gate.set({ ...kOpen, muted: true });
    expect(gate.verdict(10)).toBe('muted');
    gate.set({ ...kOpen, reconnecting: true });
    expect(gate.verdict(10)).toBe('reconnecting');
    gate.set({ ...kOpen, onStage: false });
    expect(gate.verdict(10)).toBe('listener');
  });

  it('follows the voice, and fails open where the worklet yields nothing', () => {
    const gate = new SendGate();
    gate.set(kOpen);
    gate.setVoice(false, 1000);
    expect(gate.verdict(1000 + kVoiceTimeoutMs)).toBe('silent');
    expect(gate.verdict(1001 + kVoiceTimeoutMs)).toBe('open');
    gate.resetVoice(5000);
    expect(gate.verdict(5100)).toBe('silent');
    expect(gate.verdict(5501)).toBe('open');
  });

  it('does not fail open when muted', () => {
    const gate = new SendGate();
    gate.set({ ...kOpen, muted: true });
    expect(gate.verdict(1e9)).toBe('muted');
  });
});

describe('FramePump, sending', () => {
  it('sends one encrypted bucket of the own seat', () => {
    const { gate, pump } = setUp();
    gate.set(kOpen);
    gate.setVoice(true, 0);
    const sent = frame();
    expect(pump.send(sent, 1)).toBe(true);
    expect(sent.data.byteLength).toBe(kBucket);
    expect(keyedFrames(1).open(new Uint8Array(sent.data))).toMatchObject({
      kind: 'opened',
      seat: 5,
      opus: new Uint8Array(80).fill(7),
    });
    expect(pump.counters.sent).toBe(1);
  });

  it('drops and counts what the gate holds back and what is too large', () => {
    const { gate, pump } = setUp();
    expect(pump.send(frame(), 0)).toBe(false);
    gate.set(kOpen);
    expect(pump.send(frame(158), 1)).toBe(false);
    expect(pump.counters).toMatchObject({ sent: 0, sendGated: 1, sendTooLarge: 1 });
  });

  it('sends nothing without keys, and nothing while the keys say no', () => {
    const { gate, pump, keys } = setUp();
    gate.set(kOpen);
    gate.setVoice(true, 0);
    keys.fresh = false;
    expect(pump.send(frame(), 1)).toBe(false);
    keys.fresh = true;
    keys.frames = null;
    expect(pump.send(frame(), 2)).toBe(false);
    expect(pump.counters).toMatchObject({ sent: 0, sendGated: 2 });
  });

  it('tells when sending begins and stops, not at every gap', () => {
    const { gate, posted, pump } = setUp();
    gate.set(kOpen);
    gate.setVoice(true, 0);
    pump.send(frame(), 0);
    gate.set({ ...kOpen, muted: true });
    pump.send(frame(), 20);
    pump.send(frame(), 40);
    pump.send(frame(), 300);
    const sending = posted.filter((message) => message.type === 'sending');
    expect(sending).toEqual([
      { type: 'sending', sending: true },
      { type: 'sending', sending: false },
    ]);
  });
});

describe('FramePump, receiving', () => {
  function packet(seat: number, epoch = 1) {
    const bytes = keyedFrames(seat, epoch).seal(new Uint8Array([1, 2, 3]));
    if (typeof bytes === 'string') throw new Error(bytes);
    return { data: bytes.buffer };
  }

  /** Packets of one sender, one after the other. */
  function packets(seat: number, count: number) {
    const frames = keyedFrames(seat);
    return Array.from({ length: count }, (_, i) => {
      const bytes = frames.seal(new Uint8Array([i + 1]));
      if (typeof bytes === 'string') throw new Error(bytes);
      return { data: bytes.buffer };
    });
  }

  const opus = (frames: { data: ArrayBuffer }[]) =>
    frames.map(({ data }) => [...new Uint8Array(data)]);

  it('gives the decoder the Opus frame alone', () => {
    const { pump } = setUp();
    expect(opus(pump.receive(packet(9), 0, 0))).toEqual([[1, 2, 3]]);
  });

  it('reports who is heard: at a change at once, else every 100 ms a slot', () => {
    const { posted, pump } = setUp();
    for (const [i, next] of packets(1, 15).entries()) pump.receive(next, 0, 20 * i);
    pump.receive(packet(2), 0, 290);
    pump.receive(packet(3), 1, 291);
    const heard = posted.filter((message) => message.type === 'heard');
    expect(heard).toHaveLength(5);
    expect(heard.slice(-2)).toEqual([
      { type: 'heard', slot: 0, seat: 2 },
      { type: 'heard', slot: 1, seat: 3 },
    ]);
    expect(posted.filter((message) => message.type === 'first-frame')).toHaveLength(1);
  });

  it('drops and counts the rest, and says whose keys do not fit', () => {
    const { posted, pump, noted } = setUp();
    expect(pump.receive(frame(10), 0, 0)).toEqual([]);
    expect(pump.receive({ data: new ArrayBuffer(0) }, 0, 0)).toEqual([]);
    const forged = packet(4);
    new Uint8Array(forged.data)[100] = 1;
    expect(pump.receive(forged, 0, 0)).toEqual([]);
    expect(noted.at(-1)).toMatchObject({ kind: 'dropped', reason: 'not_opened', seat: 4 });
    expect(pump.counters).toMatchObject({ received: 0, receiveDropped: 3 });
    expect(posted.some((message) => message.type === 'heard')).toBe(false);
  });

  it('hears nothing before there are keys', () => {
    const { pump, keys } = setUp();
    keys.frames = null;
    expect(pump.receive(packet(4), 0, 0)).toEqual([]);
    expect(pump.counters.receiveDropped).toBe(1);
  });

  it('tells of what cannot be played yet, and has it not decoded', () => {
    const { posted, pump } = setUp();
    pump.playable = false;
    const [first, second] = packets(4, 2);
    if (first === undefined || second === undefined) throw new Error('unreachable');
    expect(pump.receive(first, 0, 0)).toEqual([]);
    expect(posted).toContainEqual({ type: 'heard', slot: 0, seat: 4 });
    pump.playable = true;
    expect(pump.receive(second, 0, 20)).toHaveLength(1);
  });

  it('holds frames of an epoch that is on its way, and keeps the order', () => {
    const { pump, keys } = setUp();
    expect(pump.receive(packet(4, 2), 0, 0)).toEqual([]);
    expect(pump.receive(packet(4, 1), 0, 20)).toEqual([]);
    expect(pump.receive(packet(6, 1), 1, 20)).toHaveLength(1);
    keys.frames?.addEpoch({ number: 2, secret: new Uint8Array(32).fill(2) });
    expect(pump.release(0, 60)).toHaveLength(2);
    expect(pump.waits(0)).toBe(false);
  });

  it('holds at most 5 frames for at most 100 ms', () => {
    const { pump } = setUp();
    pump.receive(packet(4, 2), 0, 0);
    expect(pump.release(0, 99)).toEqual([]);
    expect(pump.waits(0)).toBe(true);
    const late = pump.receive(packet(4, 1), 0, 100);
    expect(opus(late)).toEqual([[1, 2, 3]]);
    for (let i = 0; i < 8; ++i) pump.receive(packet(4, 2), 1, 200);
    expect(pump.release(1, 299)).toEqual([]);
    pump.release(1, 300);
    expect(pump.waits(1)).toBe(false);
  });
});
