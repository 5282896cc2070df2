import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { Role } from '../src/gen/alcove/v1/common_pb';
import { EventBatchSchema, MediaChanged_State } from '../src/gen/alcove/v1/events_pb';
import type { RoomEventSchema } from '../src/gen/alcove/v1/events_pb';
import { MemberSchema, RoomStateSchema } from '../src/gen/alcove/v1/rooms_pb';
import type { Member, RoomState } from '../src/gen/alcove/v1/rooms_pb';
import { memberOfSeat, reduceBatch } from '../src/room/reducer';

type EventInit = NonNullable<MessageInitShape<typeof RoomEventSchema>['event']>;

function member(memberId: number, role: Role, more: Partial<Member> = {}): Member {
  const base = { memberId, displayName: `m${String(memberId)}`, role, connected: true };
  return { ...create(MemberSchema, base), ...more };
}

function room(self: Member, more: Partial<RoomState> = {}): RoomState {
  const stage = [member(1, Role.MODERATOR, { seat: 1 })];
  return { ...create(RoomStateSchema, { roomId: 'r', revision: 5n, stage, self }), ...more };
}

function batch(revision: bigint, ...events: EventInit[]) {
  return create(EventBatchSchema, { revision, events: events.map((event) => ({ event })) });
}

const listener = member(9, Role.LISTENER);

describe('revisions', () => {
  it('takes the next one', () => {
    const result = reduceBatch(room(listener), batch(6n));
    expect(result.outcome).toBe('applied');
    expect(result.room.revision).toBe(6n);
  });

  it('leaves out what it has seen', () => {
    for (const revision of [0n, 4n, 5n]) {
      const before = room(listener);
      const change = { case: 'roomChanged', value: { title: 'x', locked: true } } as const;
      const result = reduceBatch(before, batch(revision, change));
      expect(result.outcome).toBe('stale');
      expect(result.room).toBe(before);
      expect(result.notices).toEqual([]);
    }
  });

  it('applies nothing after a gap', () => {
    for (const revision of [7n, 2n ** 63n]) {
      const before = room(listener);
      const change = { case: 'roomChanged', value: { title: 'x', locked: true } } as const;
      const result = reduceBatch(before, batch(revision, change));
      expect(result.outcome).toBe('gap');
      expect(result.room).toBe(before);
    }
  });

  it('counts a batch of events that it does not know', () => {
    const unknown = create(EventBatchSchema, { revision: 6n, events: [{}] });
    expect(reduceBatch(room(listener), unknown).room.revision).toBe(6n);
  });
});

describe('the stage', () => {
  it('adds, changes and removes members, and does not touch the state before', () => {
    const before = room(listener);
    const ben = member(2, Role.SPEAKER, { seat: 2 });
    const joined = reduceBatch(
      before,
      batch(6n, { case: 'stageMemberChanged', value: { member: ben } }),
    );
    expect(joined.room.stage.map((other) => other.memberId)).toEqual([1, 2]);
    expect(joined.notices).toMatchObject([{ kind: 'joined-stage', member: { memberId: 2 } }]);
    expect(before.stage).toHaveLength(1);
    expect(memberOfSeat(joined.room, 2)?.memberId).toBe(2);
    expect(memberOfSeat(joined.room, 0)).toBeUndefined();

    const muted = reduceBatch(
      joined.room,
      batch(7n, { case: 'stageMemberChanged', value: { member: { ...ben, muted: true } } }),
    );
    expect(muted.room.stage[1]?.muted).toBe(true);
    expect(muted.notices).toEqual([]);

    const left = reduceBatch(
      muted.room,
      batch(8n, { case: 'stageMemberLeft', value: { memberId: 2 } }),
    );
    expect(left.room.stage.map((other) => other.memberId)).toEqual([1]);
    expect(left.notices).toMatchObject([{ kind: 'left-stage' }]);
  });

  it('does not announce oneself, nor somebody who was never there', () => {
    const events = batch(
      6n,
      { case: 'stageMemberChanged', value: { member: member(9, Role.SPEAKER) } },
      { case: 'stageMemberLeft', value: { memberId: 77 } },
    );
    expect(reduceBatch(room(listener), events).notices).toEqual([]);
  });
});

describe('oneself', () => {
  function change(from: Member, to: Member) {
    const event: EventInit = {
      case: 'selfChanged',
      value: { self: to, allowedCommands: ['leave'] },
    };
    return reduceBatch(room(from), batch(6n, event));
  }
  const kinds = (from: Member, to: Member) => change(from, to).notices.map(({ kind }) => kind);
  const speaker = member(9, Role.SPEAKER, { seat: 3 });

  it('takes role and allowed commands', () => {
    const { room: after } = change(listener, speaker);
    expect(after.self?.role).toBe(Role.SPEAKER);
    expect(after.allowedCommands).toEqual(['leave']);
  });

  it('tells what changed', () => {
    expect(kinds(listener, { ...listener, invited: true })).toEqual(['invited']);
    expect(kinds({ ...listener, invited: true }, listener)).toEqual(['invitation-withdrawn']);
    expect(kinds({ ...listener, invited: true }, speaker)).toEqual(['on-stage']);
    expect(kinds(speaker, listener)).toEqual(['moved-to-audience']);
    expect(kinds(speaker, { ...speaker, role: Role.MODERATOR })).toEqual(['made-moderator']);
    expect(kinds(speaker, { ...speaker, muted: true })).toEqual(['muted']);
    expect(kinds({ ...speaker, muted: true }, speaker)).toEqual([]);
    expect(kinds(listener, { ...listener, handRaised: true })).toEqual([]);
  });
});

describe('the rest', () => {
  it('keeps the queue of hands and names new ones once', () => {
    const hand = (id: number) => member(id, Role.LISTENER, { handRaised: true });
    const first = reduceBatch(
      room(listener),
      batch(6n, {
        case: 'raisedHandsChanged',
        value: { raisedHandCount: 1, raisedHands: [hand(4)] },
      }),
    );
    expect(first.notices).toMatchObject([{ kind: 'hand-raised', member: { memberId: 4 } }]);
    const second = reduceBatch(
      first.room,
      batch(7n, {
        case: 'raisedHandsChanged',
        value: { raisedHandCount: 2, raisedHands: [hand(4), hand(5)] },
      }),
    );
    expect(second.notices).toMatchObject([{ kind: 'hand-raised', member: { memberId: 5 } }]);
    expect(second.room.raisedHandCount).toBe(2);
  });

  it('gives listeners the count only', () => {
    const event = { case: 'raisedHandsChanged', value: { raisedHandCount: 3 } } as const;
    const result = reduceBatch(room(listener), batch(6n, event));
    expect(result.notices).toEqual([{ kind: 'hands-waiting', count: 3 }]);
  });

  it('takes the audience, the title, the lock', () => {
    const result = reduceBatch(
      room(listener),
      batch(
        6n,
        { case: 'audienceChanged', value: { audienceCount: 4000, audienceSample: [listener] } },
        { case: 'roomChanged', value: { title: 'new', locked: true } },
      ),
    );
    expect(result.room).toMatchObject({ audienceCount: 4000, title: 'new', locked: true });
    expect(result.notices).toEqual([{ kind: 'locked', locked: true }]);
  });

  it('says when it is over, and what the relay says', () => {
    const over = reduceBatch(
      room(listener),
      batch(
        6n,
        { case: 'mediaChanged', value: { state: MediaChanged_State.GONE } },
        { case: 'removed', value: { cause: 'gone' } },
        { case: 'roomEnded', value: { cause: 'ended' } },
      ),
    );
    expect(over).toMatchObject({ media: MediaChanged_State.GONE, removed: 'gone', ended: 'ended' });
  });
});
