import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OutputDevice } from '../src/media/output_device';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

class FakeContext {
  state: AudioContextState = 'suspended';
  onstatechange: (() => void) | null = null;
  resumed = 0;
  resume() {
    this.resumed += 1;
    return Promise.resolve();
  }
  close() {
    this.state = 'closed';
    return Promise.resolve();
  }
  run() {
    this.state = 'running';
    this.onstatechange?.();
  }
}

function setUp() {
  const context = new FakeContext();
  const ready: boolean[] = [];
  const device = new OutputDevice(
    (value) => ready.push(value),
    () => context as unknown as AudioContext,
  );
  return { context, device, ready };
}

describe('OutputDevice', () => {
  it('holds frames back until the device runs', () => {
    const { context, device, ready } = setUp();
    device.open();
    expect(ready).toEqual([false]);
    context.run();
    expect(ready).toEqual([false, true]);
    device.open();
    vi.advanceTimersByTime(60_000);
    expect(context.resumed).toBe(1);
    expect(ready).toEqual([false, true]);
  });

  it('asks again in each gesture', () => {
    const { context, device, ready } = setUp();
    device.open();
    device.open();
    expect(context.resumed).toBe(2);
    expect(ready).not.toContain(true);
  });

  it('does not wait for ever for a device that does not open', () => {
    const { device, ready } = setUp();
    device.open();
    vi.advanceTimersByTime(4_999);
    expect(ready).toEqual([false]);
    vi.advanceTimersByTime(1);
    expect(ready).toEqual([false, true]);
  });

  it('holds frames back again where the gesture comes after it had given up', () => {
    const { context, device, ready } = setUp();
    device.open(); // the page is read; the browser wants a gesture first
    vi.advanceTimersByTime(60_000);
    expect(ready.at(-1)).toBe(true);
    device.open(); // the click on Join
    expect(ready.at(-1)).toBe(false);
    context.run();
    expect(ready.at(-1)).toBe(true);
  });

  it('closes with the room, and says nothing afterwards', () => {
    const { context, device, ready } = setUp();
    device.open();
    device.close();
    expect(context.state).toBe('closed');
    vi.advanceTimersByTime(60_000);
    expect(ready).toEqual([false]);
  });

  it('is not needed elsewhere than in Firefox', () => {
    const ready: boolean[] = [];
    const device = new OutputDevice(
      (value) => ready.push(value),
      () => null,
    );
    device.open();
    device.close();
    expect(ready).toEqual([]);
  });
});
