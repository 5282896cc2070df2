import { describe, expect, it } from 'vitest';
import { Backoff } from '../src/backoff';

describe('Backoff', () => {
  it('doubles up to the maximum and keeps at least half of the step', () => {
    const low = new Backoff(200, 3000, () => 0);
    expect(Array.from({ length: 7 }, () => low.nextDelayMs())).toEqual([
      100, 200, 400, 800, 1500, 1500, 1500,
    ]);
    const high = new Backoff(200, 3000, () => 0.999999);
    for (let i = 0; i < 100; ++i) expect(high.nextDelayMs()).toBeLessThan(3000);
  });

  it('starts again after a reset', () => {
    const backoff = new Backoff(100, 1000, () => 0);
    backoff.nextDelayMs();
    backoff.nextDelayMs();
    expect(backoff.attempts).toBe(2);
    backoff.reset();
    expect(backoff.nextDelayMs()).toBe(50);
  });
});
