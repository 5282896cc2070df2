import { describe, expect, it } from 'vitest';
import { FramePump } from '../src/media/frame_pump';
import { PlainFrameTransform } from '../src/media/frame_transform';
import { packFrame } from '../src/media/framing';
import { SendGate, kVoiceTimeoutMs } from '../src/media/send_gate';
import type { FromWorker } from '../src/media/worker_messages';

const kBucket = 160;

function setUp() {
  const gate = new SendGate();
  const posted: FromWorker[] = [];
  const pump = new FramePump(
    gate,
    (message) => posted.push(message),
    new PlainFrameTransform(kBucket),
  );
  return { gate, posted, pump };
}

function frame(length = 80) {
  return { data: new Uint8Array(length).fill(7).buffer };
}

const kOpen = { onStage: true, seat: 5, muted: false, reconnecting: false };

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
    for (const closed of [{ onStage: false }, { seat: 0 }, { seat: 256 }]) {
      gate.set({ ...kOpen, ...closed });
      expect(gate.verdict(10)).toBe('listener');
    }
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
  it('sends one bucket with the seat', () => {
    const { gate, pump } = setUp();
    gate.set(kOpen);
    gate.setVoice(true, 0);
    const sent = frame();
    expect(pump.send(sent, 1)).toBe(true);
    expect(sent.data.byteLength).toBe(kBucket);
    expect(new Uint8Array(sent.data)[0]).toBe(5);
    expect(pump.counters.sent).toBe(1);
  });

  it('drops and counts what the gate holds back and what is too large', () => {
    const { gate, pump } = setUp();
    expect(pump.send(frame(), 0)).toBe(false);
    gate.set(kOpen);
    expect(pump.send(frame(158), 1)).toBe(false);
    expect(pump.counters).toMatchObject({ sent: 0, sendGated: 1, sendTooLarge: 1 });
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
  function packet(seat: number) {
    const bytes = packFrame(seat, new Uint8Array([1, 2, 3]), kBucket);
    if (bytes === null) throw new Error('unreachable');
    return { data: bytes.buffer };
  }

  it('gives the decoder the Opus frame alone', () => {
    const { pump } = setUp();
    const received = packet(9);
    expect(pump.receive(received, 0, 0)).toBe(true);
    expect([...new Uint8Array(received.data)]).toEqual([1, 2, 3]);
  });

  it('reports who is heard: at a change at once, else every 100 ms a slot', () => {
    const { posted, pump } = setUp();
    for (let at = 0; at < 300; at += 20) pump.receive(packet(1), 0, at);
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

  it('drops and counts the rest', () => {
    const { posted, pump } = setUp();
    expect(pump.receive(frame(10), 0, 0)).toBe(false);
    expect(pump.receive({ data: new ArrayBuffer(0) }, 0, 0)).toBe(false);
    expect(pump.counters).toMatchObject({ received: 0, receiveDropped: 2 });
    expect(posted.some((message) => message.type === 'heard')).toBe(false);
  });

  it('tells of what cannot be played yet, and has it not decoded', () => {
    const { posted, pump } = setUp();
    pump.playable = false;
    expect(pump.receive(packet(4), 0, 0)).toBe(false);
    expect(posted).toContainEqual({ type: 'heard', slot: 0, seat: 4 });
    pump.playable = true;
    expect(pump.receive(packet(4), 0, 20)).toBe(true);
  });
});
