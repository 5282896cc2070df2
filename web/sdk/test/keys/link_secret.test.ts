// Which link's secret it is (docs/protocol/room-keys.md, "Genesis" and "Joining", 3).

import { beforeEach, expect, it } from 'vitest';
import { RoomKind } from '../../src/gen/alcove/v1/common_pb';
import { House, identity } from './house';
import type { Person } from './house';

const ada = identity('Ada');
const ben = identity('Ben');
const cleo = identity('Cleo');

let house: House;
let host: Person;
let speaker: Person;

beforeEach(async () => {
  house = await House.make(ada, RoomKind.CLOSED);
  host = await house.enter(ada);
  speaker = await house.enter(ben);
  toStage(speaker);
});

function toStage(person: Person): void {
  host.keys.allowStage(person.leaf);
  house.task(host, 'giveStage', person.leaf);
  house.until(() => person.keys.seat !== 0 && person.keys.log?.isFull === true);
}

function renew(): Uint8Array {
  host.keys.command(house.nowMs, house.wallMs, 1, { kind: 'renew-link' });
  house.run(500);
  const { secret } = host.keys.link;
  if (secret === null) throw new Error('no link');
  return secret;
}

it('is not the current one once there was another link, for who did not show it', async () => {
  renew();
  // By authority, by the place of the join before, and by an invitation.
  const again = await house.enter(ada);
  expect(again.keys.link.secret).toBeNull();
  house.until(() => again.keys.log?.isFull === true);
  const replaced = await house.enter(ben);
  expect(replaced.keys.seat).not.toBe(0);
  expect(replaced.keys.link.secret).toBeNull();
  const want = { kind: 'invite' as const, identities: [cleo.publicKey] };
  again.keys.command(house.nowMs, house.wallMs, 1, want);
  house.run(500);
  const invited = await house.enter(cleo);
  expect(invited.keys.link.secret).toBeNull();
});

it('is kept where there has been one link alone, but is not certain', async () => {
  const again = await house.enter(ada);
  expect(again.keys.link).toMatchObject({ secret: house.linkSecret, certain: false });
});

it('is certain to who showed it on the first way in', async () => {
  const secret = renew();
  const listener = await house.enter(cleo, secret);
  expect(listener.keys.link).toMatchObject({ secret, generation: 1, certain: true });
});

it('stays certain in the next join of a visit, while the link is the same', async () => {
  const secret = renew();
  const earlier = host.keys.earlierJoin;
  expect(earlier).toEqual({ linkGeneration: 1, wasInside: true });
  host = await house.enter(ada, secret, earlier);
  expect(host.keys.link).toMatchObject({ secret, generation: 1, certain: true });
  const { linkGeneration } = host.keys.earlierJoin;
  renew();
  const late = await house.enter(ada, secret, { linkGeneration, wasInside: true });
  expect(late.keys.link.secret).toBeNull();
});

it('is not shown by who came in for having been there', async () => {
  const listener = await house.enter(cleo, renew());
  house.disconnect(listener);
  const again = await house.enter(cleo, true, { linkGeneration: null, wasInside: true });
  expect(again.keys.link).toMatchObject({ secret: null, certain: false });
});

it('is not carried on as certain by who was not sure of it, or never was in', async () => {
  const again = await house.enter(ada);
  expect(again.keys.earlierJoin).toEqual({ linkGeneration: null, wasInside: true });
  const stranger = await house.join(cleo, false);
  house.run(500);
  expect(stranger.keys.earlierJoin).toEqual({ linkGeneration: null, wasInside: false });
});
