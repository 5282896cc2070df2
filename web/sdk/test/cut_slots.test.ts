import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { RoomStateSchema } from '../src/gen/alcove/v1/rooms_pb';
import { CutSlots } from '../src/room/cut_slots';

/** A stage of [member id, seat]. */
const stage = (...people: [number, number][]) =>
  create(RoomStateSchema, { stage: people.map(([memberId, seat]) => ({ memberId, seat })) });

function setUp() {
  const said: [number, boolean][] = [];
  return { said, cuts: new CutSlots((slot, audible) => said.push([slot, audible])) };
}

describe('CutSlots', () => {
  it('silences the slot of who leaves the stage, and no other', () => {
    const { said, cuts } = setUp();
    cuts.heard(0, 1, stage([10, 1], [11, 2]));
    cuts.heard(1, 2, stage([10, 1], [11, 2]));
    cuts.stageChanged(stage([10, 1], [11, 2]), stage([10, 1]));
    expect(said).toEqual([[1, false]]);
  });

  it('stays silent for late frames of theirs, and opens for somebody else', () => {
    const { said, cuts } = setUp();
    cuts.heard(0, 1, stage([10, 1]));
    cuts.stageChanged(stage([10, 1]), stage());
    cuts.heard(0, 1, stage());
    expect(said).toEqual([[0, false]]);
    cuts.heard(0, 3, stage());
    expect(said).toEqual([
      [0, false],
      [0, true],
    ]);
  });

  it('opens when they are on the stage again, or somebody in their seat', () => {
    const { said, cuts } = setUp();
    cuts.heard(0, 1, stage([10, 1]));
    cuts.stageChanged(stage([10, 1]), stage([12, 1]));
    expect(said).toEqual([[0, false]]);
    cuts.heard(0, 1, stage([12, 1]));
    expect(said.at(-1)).toEqual([0, true]);
  });

  it('silences whoever is muted, until they unmute', () => {
    const muted = (is: boolean) =>
      create(RoomStateSchema, { stage: [{ memberId: 10, seat: 1, muted: is }] });
    const { said, cuts } = setUp();
    cuts.heard(0, 1, muted(false));
    cuts.stageChanged(muted(false), muted(true));
    cuts.heard(0, 1, muted(true));
    expect(said).toEqual([[0, false]]);
    cuts.stageChanged(muted(true), muted(false));
    expect(said.at(-1)).toEqual([0, true]);
  });

  it('does not silence somebody whose coming was not told yet', () => {
    const { said, cuts } = setUp();
    cuts.heard(0, 4, stage());
    cuts.stageChanged(stage(), stage([10, 1]));
    expect(said).toEqual([]);
  });

  it('forgets with the connection', () => {
    const { said, cuts } = setUp();
    cuts.heard(0, 1, stage([10, 1]));
    cuts.clear();
    cuts.stageChanged(stage([10, 1]), stage());
    expect(said).toEqual([]);
  });
});
