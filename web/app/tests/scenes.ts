// The rooms that the pages are looked at with.
import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Role, RoomKind } from '../../sdk/src/gen/alcove/v1/common_pb';
import type { HallwayResponseSchema } from '../../sdk/src/gen/alcove/v1/rooms_pb';
import { MemberSchema } from '../../sdk/src/gen/alcove/v1/rooms_pb';
import type { Member, RoomStateSchema } from '../../sdk/src/gen/alcove/v1/rooms_pb';
import { emptyKeys } from '../../sdk/src/keys/view';
import type { KeyWarning, KeysView, VerifiedMember } from '../../sdk/src/keys/view';

export function member(
  memberId: number,
  displayName: string,
  more: MessageInitShape<typeof MemberSchema> = {},
): Member {
  return create(MemberSchema, {
    memberId,
    displayName,
    role: Role.LISTENER,
    connected: true,
    ...more,
  } as MessageInitShape<typeof MemberSchema>);
}

const kListeners = [
  'Noor Haddad',
  'Jonas Weber',
  'Amélie Roux',
  'Kofi Mensah',
  'Sofia Rossi',
  'Liam O’Connor',
  'Yuki Tanaka',
  'Elif Demir',
  'Marek Nowak',
  'Priya Raman',
  'Tom Baker',
  'Inès Duval',
  'Olu Adeyemi',
  'Hanna Lindqvist',
];

const kListenerCommands = ['leave', 'raise_hand', 'lower_hand', 'send_reaction'];
const kModeratorCommands = [
  'leave',
  'dismiss_hand',
  'invite_to_stage',
  'move_to_audience',
  'move_others_to_audience',
  'set_muted',
  'mute_others',
  'make_moderator',
  'remove_member',
  'set_locked',
  'send_reaction',
  'end_room',
];

/** A room as Ada sees it. */
export function roomAs(role: Role): MessageInitShape<typeof RoomStateSchema> {
  const onStage = role !== Role.LISTENER;
  const self = member(40, 'Ada Lovelace', {
    username: 'ada',
    role,
    seat: onStage ? 4 : 0,
    muted: onStage,
  });
  const stage = [
    member(1, 'Mara Lindgren', { role: Role.MODERATOR, seat: 1, username: 'mara' }),
    member(2, 'Théo Marchand', { role: Role.SPEAKER, seat: 2, username: 'theo' }),
    member(3, 'Ikenna Obi', { role: Role.SPEAKER, seat: 3, muted: true, username: 'ikenna' }),
  ];
  const hands = [
    member(10, 'Noor Haddad', { handRaised: true }),
    member(13, 'Kofi Mensah', { handRaised: true, invited: true }),
    member(16, 'Yuki Tanaka', { handRaised: true }),
  ];
  const audience = kListeners.map((name, index) =>
    member(10 + index, name, {
      handRaised: hands.some((hand) => hand.displayName === name),
      guest: index % 3 === 0,
    }),
  );
  return {
    roomId: 'dusk',
    title: 'Poems for the blue hour, read aloud',
    kind: RoomKind.OPEN,
    stage: onStage ? [...stage, self] : stage,
    audienceCount: 187,
    audienceSample: onStage ? audience : [self, ...audience],
    raisedHands: role === Role.MODERATOR ? hands : [],
    raisedHandCount: hands.length,
    self,
    revision: 7n,
    allowedCommands: role === Role.MODERATOR ? kModeratorCommands : kListenerCommands,
  };
}

function verified(from: Member, device: VerifiedMember['device']): VerifiedMember {
  const { memberId, seat, role, displayName, guest } = from;
  const text = String(memberId);
  return {
    leaf: `leaf ${text}`,
    memberId,
    seat,
    role,
    name: displayName,
    account: guest ? 'guest' : text,
    guest,
    identity: `identity ${text}`,
    device,
  };
}

/** Everybody in the room, as its log has them. */
export function rosterAs(role: Role): VerifiedMember[] {
  const { stage, audienceSample } = roomAs(role);
  const devices = ['known', 'changed', 'new', 'new'] as const;
  return ([...(stage ?? []), ...(audienceSample ?? [])] as Member[]).map((one, index) =>
    verified(one, one.memberId === 40 ? 'self' : (devices[index % 4] ?? 'new')),
  );
}

/** What the keys say of the room as Ada sees it. */
export function keysAs(role: Role): KeysView {
  const roster = rosterAs(role);
  return {
    ...emptyKeys(),
    admitted: true,
    roomCode: '07134 95520 18846 60071 33902 48815',
    codeFromLink: role !== Role.LISTENER,
    epoch: 5,
    rosterSize: roster.length,
    fullRoster: role !== Role.LISTENER,
    linkKnown: true,
    stage: roster.filter(({ seat }) => seat > 0),
  };
}

/** Each warning that there is, with those whom it names. */
export const kWarnings: KeyWarning[] = [
  ['fork', ''],
  ['failed_check', ''],
  ['stale', ''],
  ['unknown_epoch', ''],
  ['faulty_author', 'Théo Marchand'],
  ['not_same_log', 'Ikenna Obi'],
  ['device_changed', 'Noor Haddad'],
  ['device_changed', 'Jonas Weber'],
  ['device_changed', 'Amélie Roux'],
  ['device_changed', 'Kofi Mensah'],
  ['device_changed', 'Sofia Rossi'],
  ['early_depart', 'Mara Lindgren'],
  ['clock_ahead', ''],
  ['not_acknowledged', ''],
].map(([code, name]) => ({ code, name, detail: '' }) as KeyWarning);

export const kHallway: MessageInitShape<typeof HallwayResponseSchema> = {
  rooms: [
    {
      roomId: 'dusk',
      title: 'Poems for the blue hour, read aloud',
      kind: RoomKind.OPEN,
      memberCount: 190,
      stageNames: ['Mara Lindgren', 'Théo Marchand', 'Ikenna Obi'],
    },
    {
      roomId: 'council',
      title: 'What the town council decided last night',
      kind: RoomKind.SOCIAL,
      memberCount: 42,
      stageNames: ['Hanna Lindqvist', 'Olu Adeyemi'],
    },
    {
      roomId: 'bread',
      title: 'Sourdough clinic: bring your failures',
      kind: RoomKind.OPEN,
      memberCount: 17,
      stageNames: ['Sofia Rossi', 'Tom Baker', 'Elif Demir', 'Priya Raman', 'Marek Nowak'],
      locked: true,
    },
    {
      roomId: 'radio',
      title: 'Night desk',
      kind: RoomKind.CLOSED,
      memberCount: 3,
      stageNames: ['Yuki Tanaka'],
    },
  ],
};
