import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { Role } from '../src/gen/alcove/v1/common_pb';
import { RoomStateSchema } from '../src/gen/alcove/v1/rooms_pb';
import { toBase64Url } from '../src/keys/bytes';
import type { KeysSnapshot } from '../src/keys/messages';
import { emptyKeys } from '../src/keys/view';
import type { VerifiedMember } from '../src/keys/view';
import { MemberNumbers, RoomVerifier } from '../src/room/verified_room';

const leaf = (byte: number) => new Uint8Array(32).fill(byte);

function inLog(byte: number, more: Partial<VerifiedMember> = {}): VerifiedMember {
  return {
    ...{ leaf: toBase64Url(leaf(byte)), memberId: 0, seat: byte, role: Role.SPEAKER },
    ...{ name: `Log ${String(byte)}`, account: String(byte), guest: false, identity: '' },
    ...{ device: 'known', ...more },
  };
}

function snapshot(...stage: VerifiedMember[]): KeysSnapshot {
  const view = { ...emptyKeys(), admitted: true, locked: true, stage };
  return { view, leaf: '', seat: 0, fragment: '', linkGeneration: null };
}

const member = (byte: number, more = {}) => ({
  ...{ memberId: 10 + byte, displayName: `Server ${String(byte)}`, leaf: leaf(byte) },
  ...{ role: Role.SPEAKER, seat: byte, ...more },
});

const room = (init: Parameters<typeof create<typeof RoomStateSchema>>[1]) =>
  create(RoomStateSchema, init);

describe('RoomVerifier', () => {
  it('shows the stage as the log has it: names, seats, roles, the lock', () => {
    const said = room({ stage: [member(1, { seat: 9 })], self: member(1) });
    const moderator = inLog(1, { role: Role.MODERATOR, device: 'self' });
    const shown = new RoomVerifier().verify(said, snapshot(moderator), 0);
    const expected = { memberId: 11, displayName: 'Log 1', seat: 1, role: Role.MODERATOR };
    expect(shown.room.stage).toMatchObject([expected]);
    expect(shown.room.self).toMatchObject(expected);
    expect(shown.room.locked).toBe(true);
    expect(shown.warnings).toEqual([]);
    expect(shown.againMs).toBe(Infinity);
  });

  it('takes the server at its word before the log is there', () => {
    const said = room({ stage: [member(1)] });
    expect(new RoomVerifier().verify(said, null, 0).room).toBe(said);
  });

  it('does not show whom the log does not know, and says so after 5 s', () => {
    const verifier = new RoomVerifier();
    const said = room({ stage: [member(1), member(2)], self: member(2) });
    const first = verifier.verify(said, snapshot(inLog(1)), 1_000);
    expect(first.room.stage).toHaveLength(1);
    expect(first.room.self).toMatchObject({ role: Role.LISTENER, seat: 0 });
    expect(first.warnings).toEqual([]);
    expect(first.againMs).toBe(6_000);
    const late = verifier.verify(said, snapshot(inLog(1)), 6_000);
    expect(late.room.stage).toHaveLength(1);
    expect(late.warnings).toMatchObject([{ code: 'failed_check', name: 'Server 2' }]);
    expect(verifier.verify(said, snapshot(inLog(1), inLog(2)), 7_000).warnings).toEqual([]);
  });

  it('shows whom the server leaves out: a listener of its at once, others after 5 s', () => {
    const verifier = new RoomVerifier();
    const said = room({ audienceSample: [member(3, { role: Role.LISTENER, seat: 0 })] });
    const stage = snapshot(inLog(3), inLog(4));
    expect(verifier.verify(said, stage, 0).room.stage).toMatchObject([{ memberId: 13, seat: 3 }]);
    const late = verifier.verify(said, stage, 5_000).room.stage;
    expect(late).toMatchObject([{ seat: 3 }, { seat: 4, displayName: 'Log 4' }]);
    const numbers = new MemberNumbers();
    const unlisted = late[1]?.memberId ?? 0;
    expect(numbers.leaf(unlisted, stage.view.stage)).toBe(toBase64Url(leaf(4)));
  });
});

describe('MemberNumbers', () => {
  it('knows the leaf of whom the server has named, and the other way round', () => {
    const numbers = new MemberNumbers();
    const said = room({ stage: [member(1)], raisedHands: [member(2)], self: member(3) });
    numbers.noteRoom(said);
    expect([11, 12, 13].map((id) => numbers.leaf(id, []))).toEqual(
      [1, 2, 3].map((byte) => toBase64Url(leaf(byte))),
    );
    expect(numbers.number(toBase64Url(leaf(2)))).toBe(12);
    expect(numbers.leaf(99, [])).toBeUndefined();
    expect(numbers.number('nobody')).toBe(0);
  });
});
