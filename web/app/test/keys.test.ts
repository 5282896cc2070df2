import { Role } from '@alcove/sdk';
import type { KeyWarning, KeysView, Member, RoomState, VerifiedMember } from '@alcove/sdk';
import { describe, expect, it } from 'vitest';
import { codeGroups, foundIn, shownWarnings, sortedRoster, stageOf } from '../src/lib/keys';

function verified(name: string, more: Partial<VerifiedMember> = {}): VerifiedMember {
  return {
    leaf: name,
    memberId: 0,
    seat: 0,
    role: Role.LISTENER,
    name,
    account: 'guest',
    guest: true,
    identity: name,
    device: 'new',
    ...more,
  };
}

const namesOf = (members: { name: string }[]) => members.map(({ name }) => name);

describe('the room code', () => {
  it('is shown in groups of five, however it is written', () => {
    const groups = ['00001', '23456', '78901', '23456', '78901', '99999'];
    expect(codeGroups(groups.join(' '))).toEqual(groups);
    expect(codeGroups(groups.join(''))).toEqual(groups);
    expect(codeGroups('')).toEqual([]);
  });
});

describe('the roster', () => {
  it('has the stage first, by seat, then listeners by name', () => {
    const members = [
      verified('Zoë'),
      verified('Éloi'),
      verified('Bo', { seat: 3, role: Role.SPEAKER }),
      verified('Ada'),
      verified('Yan', { seat: 1, role: Role.MODERATOR }),
    ];
    expect(namesOf(sortedRoster(members, 'fr'))).toEqual(['Yan', 'Bo', 'Ada', 'Éloi', 'Zoë']);
  });

  it('is searched without regard to case and accents', () => {
    const members = [verified('Éloïse'), verified('Eloi'), verified('Ada')];
    expect(namesOf(foundIn(members, ' ELOI'))).toEqual(['Éloïse', 'Eloi']);
    expect(foundIn(members, '')).toHaveLength(3);
    expect(foundIn(members, 'x')).toEqual([]);
  });
});

describe('warnings', () => {
  const warning = (code: KeyWarning['code'], name = ''): KeyWarning => ({ code, name, detail: '' });

  it('are shown once for each code, worst first, with each name once', () => {
    const shown = shownWarnings(
      [
        warning('device_changed', 'Ada'),
        warning('device_changed', 'Bo'),
        warning('device_changed', 'Ada'),
        warning('stale'),
        warning('fork'),
      ],
      [],
    );
    expect(shown.map(({ code }) => code)).toEqual(['fork', 'stale', 'device_changed']);
    expect(shown[2]?.names).toEqual(['Ada', 'Bo']);
    expect(shown.map(({ serious }) => serious)).toEqual([true, false, false]);
  });

  it('can be put away one by one, those that stop the sending never', () => {
    const warnings = [warning('device_changed', 'Ada'), warning('device_changed', 'Bo')];
    expect(shownWarnings(warnings, ['device_changed Ada'])[0]?.names).toEqual(['Bo']);
    expect(shownWarnings(warnings, ['device_changed Ada', 'device_changed Bo'])).toEqual([]);
    expect(shownWarnings([warning('fork'), warning('stale')], ['fork ', 'stale '])).toHaveLength(2);
  });
});

describe('the stage', () => {
  const server = (memberId: number, seat: number, displayName: string) =>
    ({ memberId, seat, displayName, role: Role.SPEAKER }) as Member;

  it('has the names and roles of the log, in the order of the server', () => {
    const stage = [
      verified('Ada', { seat: 1, role: Role.MODERATOR, device: 'self' }),
      verified('Bo', { seat: 2, role: Role.SPEAKER, device: 'changed' }),
    ];
    const room = {
      stage: [server(4, 2, 'Not Bo'), server(5, 1, 'Ada'), server(6, 3, 'Cy')],
    } as unknown as RoomState;
    const shown = stageOf({ stage } as KeysView, room);
    expect(namesOf(shown)).toEqual(['Bo', 'Ada', 'Cy']);
    expect(shown.map(({ deviceChanged }) => deviceChanged)).toEqual([true, false, false]);
    expect(shown.map(({ moderator }) => moderator)).toEqual([false, true, false]);
  });
});
