import { create } from '@bufbuild/protobuf';
import type {
  EventBatch,
  MediaChanged_State,
  ReactionsSent_One,
  RoomEvent,
} from '../gen/alcove/v1/events_pb';
import { Role } from '../gen/alcove/v1/common_pb';
import { RoomStateSchema } from '../gen/alcove/v1/rooms_pb';
import type { Member, RoomState } from '../gen/alcove/v1/rooms_pb';

/** What happened, for people: read out, shown for a moment. */
export type RoomNotice =
  | { kind: 'joined-stage'; member: Member }
  | { kind: 'left-stage'; member: Member }
  | { kind: 'hand-raised'; member: Member }
  | { kind: 'hands-waiting'; count: number }
  | { kind: 'invited' }
  | { kind: 'invitation-withdrawn' }
  | { kind: 'on-stage' }
  | { kind: 'moved-to-audience' }
  | { kind: 'made-moderator' }
  | { kind: 'muted' }
  | { kind: 'locked'; locked: boolean }
  | { kind: 'reactions'; reactions: ReactionsSent_One[] };

export interface Reduction {
  room: RoomState;
  /** "gap": nothing was applied, the state must be asked for again. "stale": seen before. */
  outcome: 'applied' | 'stale' | 'gap';
  notices: RoomNotice[];
  ended?: string;
  removed?: string;
  media?: MediaChanged_State;
}

/** Takes a batch into the state. The state that comes in is not changed. */
export function reduceBatch(room: RoomState, batch: EventBatch): Reduction {
  const result: Reduction = { room, outcome: 'stale', notices: [] };
  if (batch.revision <= room.revision) return result;
  if (batch.revision !== room.revision + 1n) {
    result.outcome = 'gap';
    return result;
  }
  result.outcome = 'applied';
  result.room = { ...room, revision: batch.revision };
  for (const event of batch.events) applyEvent(result, event);
  return result;
}

function applyEvent(result: Reduction, { event }: RoomEvent): void {
  const { room } = result;
  switch (event.case) {
    case 'stageMemberChanged':
      if (event.value.member) changeStageMember(result, event.value.member);
      break;
    case 'stageMemberLeft':
      removeStageMember(result, event.value.memberId);
      break;
    case 'audienceChanged':
      result.room = {
        ...room,
        audienceCount: event.value.audienceCount,
        audienceSample: event.value.audienceSample,
      };
      break;
    case 'selfChanged':
      if (event.value.self) changeSelf(result, event.value.self, event.value.allowedCommands);
      break;
    case 'raisedHandsChanged':
      changeHands(result, event.value.raisedHandCount, event.value.raisedHands);
      break;
    case 'roomChanged':
      if (event.value.locked !== room.locked) {
        result.notices.push({ kind: 'locked', locked: event.value.locked });
      }
      result.room = { ...room, title: event.value.title, locked: event.value.locked };
      break;
    case 'reactionsSent':
      result.notices.push({ kind: 'reactions', reactions: event.value.reactions });
      break;
    case 'roomEnded':
      result.ended = event.value.cause;
      break;
    case 'removed':
      result.removed = event.value.cause;
      break;
    case 'mediaChanged':
      result.media = event.value.state;
      break;
    case undefined:
      // Of a newer server: the revision counts, the rest does not concern us.
      break;
  }
}

function changeStageMember(result: Reduction, member: Member): void {
  const { stage, self } = result.room;
  const at = stage.findIndex((other) => other.memberId === member.memberId);
  if (at < 0) {
    result.room = { ...result.room, stage: [...stage, member] };
    if (member.memberId !== self?.memberId) {
      result.notices.push({ kind: 'joined-stage', member });
    }
    return;
  }
  result.room = { ...result.room, stage: stage.with(at, member) };
}

function removeStageMember(result: Reduction, memberId: number): void {
  const { stage, self } = result.room;
  const member = stage.find((other) => other.memberId === memberId);
  if (member === undefined) return;
  result.room = {
    ...result.room,
    stage: stage.filter((other) => other.memberId !== memberId),
  };
  if (memberId !== self?.memberId) result.notices.push({ kind: 'left-stage', member });
}

function changeSelf(result: Reduction, self: Member, allowedCommands: string[]): void {
  const before = result.room.self;
  result.room = { ...result.room, self, allowedCommands };
  if (before === undefined) return;
  const wasOnStage = isOnStage(before);
  const nowOnStage = isOnStage(self);
  if (nowOnStage && !wasOnStage) result.notices.push({ kind: 'on-stage' });
  if (!nowOnStage && wasOnStage) result.notices.push({ kind: 'moved-to-audience' });
  if (self.role === Role.MODERATOR && before.role !== Role.MODERATOR) {
    result.notices.push({ kind: 'made-moderator' });
  }
  if (self.invited && !before.invited) result.notices.push({ kind: 'invited' });
  if (!self.invited && before.invited && !nowOnStage) {
    result.notices.push({ kind: 'invitation-withdrawn' });
  }
  if (nowOnStage && wasOnStage && self.muted && !before.muted) {
    result.notices.push({ kind: 'muted' });
  }
}

function changeHands(result: Reduction, count: number, hands: Member[]): void {
  const { raisedHands, raisedHandCount } = result.room;
  const known = new Set(raisedHands.map((member) => member.memberId));
  for (const member of hands) {
    if (!known.has(member.memberId)) result.notices.push({ kind: 'hand-raised', member });
  }
  if (hands.length === 0 && count > raisedHandCount) {
    result.notices.push({ kind: 'hands-waiting', count });
  }
  result.room = { ...result.room, raisedHands: hands, raisedHandCount: count };
}

export function isOnStage(member: Member | undefined): boolean {
  return member?.role === Role.SPEAKER || member?.role === Role.MODERATOR;
}

export function emptyRoom(roomId: string): RoomState {
  return create(RoomStateSchema, { roomId });
}

export function memberOfSeat(room: RoomState, seat: number): Member | undefined {
  return seat === 0 ? undefined : room.stage.find((member) => member.seat === seat);
}
