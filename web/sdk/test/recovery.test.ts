import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from '../src/backoff';
import { Recovery } from '../src/room/recovery';
import type { Attempt } from '../src/room/recovery';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp(answers: (Attempt | 'hang')[]) {
  const changes: boolean[] = [];
  let attempts = 0;
  const recovery: Recovery = new Recovery(
    {
      attempt: (signal) => {
        const answer = answers[attempts++] ?? 'recovered';
        if (answer !== 'hang') return Promise.resolve(answer);
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            resolve('retry');
          });
        });
      },
      onChange: () => changes.push(recovery.running),
    },
    () => new Backoff(200, 4000, () => 1),
  );
  return { recovery, changes, count: () => attempts };
}

describe('Recovery', () => {
  it('tries at once, then with growing pauses', async () => {
    const { recovery, changes, count } = setUp(['retry', 'retry', 'retry']);
    recovery.begin();
    expect(changes).toEqual([true]);
    await vi.advanceTimersByTimeAsync(0);
    expect(count()).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(count()).toBe(2);
    await vi.advanceTimersByTimeAsync(399);
    expect(count()).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(count()).toBe(3);
    await vi.advanceTimersByTimeAsync(800);
    expect(changes).toEqual([true, false]);
  });

  it('runs once, however often it is begun', async () => {
    const { recovery, count } = setUp(['retry']);
    recovery.begin();
    recovery.begin();
    recovery.begin();
    await vi.advanceTimersByTimeAsync(0);
    expect(count()).toBe(1);
  });

  it('cuts a pause short, and starts the pauses over, when the network changes', async () => {
    const { recovery, count } = setUp(['retry', 'retry', 'retry', 'retry', 'retry']);
    recovery.begin();
    await vi.advanceTimersByTimeAsync(200 + 400);
    expect(count()).toBe(3);
    recovery.beginAnew();
    await vi.advanceTimersByTimeAsync(0);
    expect(count()).toBe(4);
    await vi.advanceTimersByTimeAsync(200);
    expect(count()).toBe(5);
  });

  it('gives up an attempt on the network that was', async () => {
    const { recovery, changes, count } = setUp(['hang']);
    recovery.begin();
    await vi.advanceTimersByTimeAsync(1000);
    recovery.beginAnew();
    await vi.advanceTimersByTimeAsync(0);
    expect(count()).toBe(2);
    expect(changes).toEqual([true, false]);
  });

  it('is over without a word where it cannot succeed, and can be begun again', async () => {
    const { recovery, changes, count } = setUp(['over']);
    recovery.begin();
    await vi.advanceTimersByTimeAsync(0);
    expect(changes).toEqual([true]);
    expect(recovery.running).toBe(false);
    recovery.begin();
    await vi.advanceTimersByTimeAsync(0);
    expect(count()).toBe(2);
  });

  it('stops for good', async () => {
    const { recovery, count } = setUp(['retry', 'retry']);
    recovery.begin();
    await vi.advanceTimersByTimeAsync(0);
    recovery.stop();
    recovery.begin();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(count()).toBe(1);
  });
});
