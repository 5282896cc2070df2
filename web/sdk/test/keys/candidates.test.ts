// How often those who wait are judged: a signature and a MAC each time.

import { expect, it, vi } from 'vitest';
import type * as Admission from '../../src/keys/admission';
import { House, identity } from './house';

const { checks } = vi.hoisted(() => ({ checks: { count: 0 } }));
vi.mock('../../src/keys/admission', async (original) => {
  const real = await original<typeof Admission>();
  return {
    ...real,
    checkCandidate: (...given: Parameters<typeof real.checkCandidate>) => {
      checks.count += 1;
      return real.checkCandidate(...given);
    },
  };
});

it('candidates are judged when they ask, and once for each entry of the log', async () => {
  const house = await House.make(identity('Ada'));
  const host = await house.enter(identity('Ada'));
  await house.enter(identity('Ben'));
  checks.count = 0;
  const late = await house.join(identity('Cleo'));
  // Within the time in which several are collected.
  house.run(60);
  for (let i = 0; i < 5; ++i) house.task(host, 'depart', late.leaf);
  house.run(30);
  expect(checks.count).toBe(1);
  host.keys.command(house.nowMs, house.wallMs, 1, { kind: 'lock', locked: true });
  house.until(() => late.keys.admitted || house.refusals.length > 0);
  expect(checks.count).toBe(2);
  expect(house.refusals).toMatchObject([{ name: 'Cleo' }]);
});
