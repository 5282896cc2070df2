import { beforeEach, expect, it } from 'vitest';
import { equal } from '../../src/keys/bytes';
import { House, identity } from './house';
import type { Person } from './house';

let house: House;
let stage: Person[];

/** A stage of eight, two of them moderators. */
beforeEach(async () => {
  house = await House.make(identity('Host'));
  const host = await house.enter(identity('Host'));
  stage = [host];
  for (let i = 1; i < 8; ++i) {
    const person = await house.enter(identity(`Speaker ${i}`));
    host.keys.allowStage(person.leaf);
    house.task(host, 'giveStage', person.leaf);
    house.until(() => person.keys.seat !== 0 && person.keys.log?.isFull === true);
    stage.push(person);
  }
  const leaf = stage[3]?.leaf ?? host.leaf;
  host.keys.command(house.nowMs, house.wallMs, 1, { kind: 'make-moderator', leaf });
  house.run(1_000);
});

it('go on to everybody, whatever moderators write in between', () => {
  house.run(40_000);
  const from = house.entries.length;
  house.run(130_000); // 26 turns of eight members
  const written = house.entries.slice(from).map(({ entry }) => entry.body.author);
  stage.forEach((person, i) => {
    const beats = written.filter((author) => equal(author, person.leaf)).length;
    expect(beats, person.name).toBeGreaterThanOrEqual(i === 0 || i === 3 ? 5 : 3);
    expect(person.warned('not_same_log')).toBe(false);
  });
});

it('show who is kept apart, on a large stage too', () => {
  const [host, lost] = [stage[0], stage[6]];
  if (host === undefined || lost === undefined) throw new Error('no stage');
  house.disconnect(lost);
  house.run(170_000);
  expect(host.keys.warnings.map(({ code, name }) => [code, name])).toEqual([
    ['not_same_log', lost.name],
  ]);
});
