import { beforeEach, describe, expect, it } from 'vitest';
import { Role, RoomKind } from '../../src/gen/alcove/v1/common_pb';
import { Advance, RefuseCandidate_Reason as Reason } from '../../src/gen/alcove/v1/keys_pb';
import { House, identity, speak } from './house';
import type { Person } from './house';

const ada = identity('Ada');
const ben = identity('Ben');
const cleo = identity('Cleo');
const dan = identity('Dan');

let house: House;
let host: Person;

beforeEach(async () => {
  house = await House.make(ada);
  host = await house.enter(ada);
});

/** Gives a listener a seat, as an invitation that is accepted does. */
function toStage(person: Person, by: Person = host): void {
  by.keys.allowStage(person.leaf);
  house.task(by, 'giveStage', person.leaf);
  house.until(() => person.keys.seat !== 0 && person.keys.log?.isFull === true);
}

function act(person: Person, want: Parameters<Person['keys']['command']>[3]): void {
  const before = person.answers().length;
  person.keys.command(house.nowMs, house.wallMs, 1, want);
  house.until(() => person.answers().length > before);
}

describe('a room', () => {
  it('is begun by its host, on seat 1 as moderator', () => {
    expect(house.log.n).toBe(1n);
    expect(host.keys.seat).toBe(1);
    expect(host.keys.log?.isFull).toBe(true);
    expect(host.keys.log?.atSeat(1)?.role).toBe(Role.MODERATOR);
    expect(host.keys.maySend(house.nowMs)).toBe(true);
  });

  it('lets listeners in, who hear and do not speak', async () => {
    const listener = await house.enter(ben);
    expect(listener.keys.log?.epoch).toBe(house.log.epoch);
    expect(speak(house, host, listener)).toBe('opened');
    expect(speak(house, listener, host)).toBeNull();
    expect(house.log.roster()).toHaveLength(2);
  });

  it('advances when it lets somebody in after 5 s, so that they hear nothing before', async () => {
    house.run(6_000);
    const before = house.log.epoch;
    const listener = await house.enter(ben);
    expect(house.log.epoch).toBe(before + 1);
    house.run(1_500);
    expect(speak(house, host, listener)).toBe('opened');
  });

  it('advances by the word of nobody’s clock: who came in lately counts the epoch as old', async () => {
    host.aheadMs = 60_000;
    house.run(6_000);
    await house.enter(ben);
    house.run(4_000);
    const keeper = await house.enter(cleo);
    toStage(keeper);
    house.disconnect(host);
    house.run(2_000);
    const before = house.log.epoch;
    const late = await house.enter(dan);
    expect(house.log.epoch).toBe(before + 1);
    expect(late.keys.log?.epoch).toBe(before + 1);
  });

  it('does not advance again for who comes right after an advance', async () => {
    house.run(6_000);
    const keeper = await house.enter(ben);
    toStage(keeper);
    house.disconnect(host);
    const before = house.log.epoch;
    await house.enter(cleo);
    expect(house.log.epoch).toBe(before);
  });

  it('lets many in with few entries', async () => {
    const before = house.log.n;
    const names = Array.from({ length: 12 }, (_, i) => identity(`Guest ${String(i)}`, 'guest'));
    const guests = await Promise.all(names.map((name) => house.join(name)));
    house.until(() => guests.every(({ keys }) => keys.admitted));
    expect(Number(house.log.n - before)).toBeLessThanOrEqual(4);
    expect(house.log.roster()).toHaveLength(13);
  });

  it('writes a batch again without who is gone', async () => {
    const sizes: number[] = [];
    house.intake = (person, message) => {
      const append = message.message.case === 'append' ? message.message.value : null;
      if (append === null || append.joinBoxes.length === 0) return message;
      sizes.push(append.joinBoxes.length);
      const [first, ...others] = append.joinBoxes;
      if (first === undefined || others.length !== 1) return message;
      const reason = 'log.candidate_gone';
      const refused = { request: append.request, reason, message: '', gone: [first.candidate] };
      house.send(person, 'appendRefused', refused);
      return undefined;
    };
    const names = ['First', 'Gone', 'There'].map((name) => identity(name, 'guest'));
    const [, gone, there] = await Promise.all(names.map((name) => house.join(name)));
    house.run(1_000);
    expect(sizes).toEqual([1, 2, 1]);
    expect(there?.keys.admitted).toBe(true);
    expect(gone?.keys.admitted).toBe(false);
    expect(house.refusals).toEqual([]);
  });

  it('gives a seat only to whom its moderator invited', async () => {
    const listener = await house.enter(ben);
    house.task(host, 'giveStage', listener.leaf);
    house.run(500);
    expect(listener.keys.seat).toBe(0);
    toStage(listener);
    expect(listener.keys.seat).toBe(2);
    expect(speak(house, listener, host)).toBe('opened');
    expect(speak(house, host, listener)).toBe('opened');
  });

  it('hands over: makes moderators, moves down, locks', async () => {
    const speaker = await house.enter(ben);
    const listener = await house.enter(cleo);
    toStage(speaker);
    act(host, { kind: 'make-moderator', leaf: speaker.leaf });
    expect(listener.keys.log?.atSeat(2)?.role).toBe(Role.MODERATOR);
    act(speaker, { kind: 'lock', locked: true });
    house.run(100);
    expect([host, listener].every(({ keys }) => keys.log?.locked)).toBe(true);
    act(speaker, { kind: 'step-down' });
    expect(speaker.keys.seat).toBe(0);
    expect(speak(house, speaker, host)).toBeNull();
    expect(speak(house, host, speaker)).toBe('opened');
    expect(speaker.answers()).toEqual(['done', 'done']);
  });

  it('refuses what the role does not allow', async () => {
    const speaker = await house.enter(ben);
    const listener = await house.enter(cleo);
    toStage(speaker);
    act(speaker, { kind: 'eject', leaf: listener.leaf });
    act(listener, { kind: 'lock', locked: true });
    expect(speaker.answers()).toEqual(['not_permitted']);
    expect(listener.answers()).toEqual(['not_permitted']);
  });
});

describe('who is ejected', () => {
  it('reads nothing that is sent after it, and does not come in again', async () => {
    const listener = await house.enter(ben);
    const other = await house.enter(cleo);
    act(host, { kind: 'eject', leaf: listener.leaf });
    house.run(100);
    expect(speak(house, host, other)).toBe('opened');
    expect(speak(house, host, listener)).not.toBe('opened');
    expect(listener.events).toContainEqual({ kind: 'out' });
    await house.join(ben);
    house.run(1_000);
    expect(house.refusals).toEqual([{ name: 'Ben', reason: 2 }]);
  });

  it('is silent at once when it was on the stage', async () => {
    const speaker = await house.enter(ben);
    const other = await house.enter(cleo);
    toStage(speaker);
    const packet = speaker.keys.frames.seal(Uint8Array.of(1));
    if (typeof packet === 'string') throw new Error(packet);
    act(host, { kind: 'eject', leaf: speaker.leaf });
    house.run(50);
    expect(other.keys.frames.open(packet).kind).toBe('empty-seat');
    expect(speaker.keys.maySend(house.nowMs)).toBe(false);
  });

  it('is one of several, with one fresh epoch for those that were asked for together', async () => {
    const guests = [await house.enter(ben), await house.enter(cleo), await house.enter(dan)];
    const before = house.log.epoch;
    for (const [i, { leaf }] of guests.entries()) {
      host.keys.command(house.nowMs, house.wallMs, i + 1, { kind: 'eject', leaf });
    }
    house.until(() => house.log.roster().length === 1);
    expect(house.log.epoch).toBe(before + 2);
  });
});

describe('a stage without its keeper', () => {
  it('is kept by the others: beats, departs, fresh epochs', async () => {
    const speaker = await house.enter(ben);
    const listener = await house.enter(cleo);
    toStage(speaker);
    house.disconnect(host);
    house.run(20_000);
    expect(speaker.keys.maySend(house.nowMs)).toBe(true);
    expect(listener.warned('stale')).toBe(false);
    house.task(speaker, 'depart', host.leaf);
    house.until(() => house.log.onStage(host.leaf) === null, 40_000);
    expect(house.entries.at(-1)?.entry.body.advance).toBe(Advance.FRESH);
    house.run(100);
    expect(speaker.keys.log?.atSeat(2)?.role).toBe(Role.MODERATOR);
    const late = await house.enter(dan);
    house.run(1_500);
    expect(speak(house, speaker, late)).toBe('opened');
  });

  it('takes a moderator who leaves by its own word, and goes on with a fresh epoch', async () => {
    const speaker = await house.enter(ben);
    toStage(speaker);
    const before = house.log.epoch;
    host.keys.command(house.nowMs, house.wallMs, 9, { kind: 'depart' });
    house.run(3_000);
    expect(host.events).toContainEqual({ kind: 'out' });
    expect(house.log.epoch).toBe(before + 1);
    expect(speaker.warned('early_depart')).toBe(false);
  });
});

describe('an entry on its way', () => {
  it('is written again where somebody else was faster', async () => {
    const speaker = await house.enter(ben);
    toStage(speaker);
    act(host, { kind: 'make-moderator', leaf: speaker.leaf });
    host.keys.command(house.nowMs, house.wallMs, 5, { kind: 'lock', locked: true });
    speaker.keys.command(house.nowMs, house.wallMs, 6, { kind: 'renew-link' });
    house.run(2_000);
    expect(house.log.locked).toBe(true);
    expect(house.log.linkGeneration).toBe(1);
    expect(host.keys.link.secret).toEqual(speaker.keys.link.secret);
    expect(host.answers().at(-1)).toBe('done');
    expect(speaker.answers().at(-1)).toBe('done');
  });

  it('is told when it does not come back, and is in force when it does after all', () => {
    house.intake = (_, message) => (message.message.case === 'append' ? undefined : message);
    host.keys.command(house.nowMs, house.wallMs, 5, { kind: 'lock', locked: true });
    house.run(2_500);
    expect(host.answers()).toEqual(['not_acknowledged']);
    expect(host.warned('not_acknowledged')).toBe(true);
    house.intake = (_, message) => message;
    act(host, { kind: 'lock', locked: true });
    expect(host.warned('not_acknowledged')).toBe(false);
  });
});

describe('a clock that is ahead', () => {
  it('is told until the server takes an entry again', () => {
    house.intake = (person, { message }) => {
      if (message.case !== 'append') return undefined;
      const { request } = message.value;
      house.send(person, 'appendRefused', { request, reason: 'log.clock_ahead', message: '' });
      return undefined;
    };
    host.keys.command(house.nowMs, house.wallMs, 5, { kind: 'lock', locked: true });
    house.run(100);
    expect(host.warned('clock_ahead')).toBe(true);
    house.intake = (_, message) => message;
    act(host, { kind: 'lock', locked: true });
    expect(host.warned('clock_ahead')).toBe(false);
  });
});

describe('what nobody asked for', () => {
  it('is written again a second after it was refused, not at once', () => {
    const refusedMs: number[] = [];
    house.intake = (person, { message }) => {
      if (message.case !== 'append') return undefined;
      refusedMs.push(house.nowMs);
      const { request } = message.value;
      house.send(person, 'appendRefused', { request, reason: 'log.invalid', message: '' });
      return undefined;
    };
    house.until(() => refusedMs.length > 0, 7_000);
    house.run(4_000);
    expect(refusedMs).toHaveLength(4);
  });
});

describe('coming back', () => {
  it('goes on after a gap in the connection', async () => {
    const speaker = await house.enter(ben);
    const listener = await house.enter(cleo);
    toStage(speaker);
    for (const person of [speaker, listener]) house.disconnect(person);
    act(host, { kind: 'lock', locked: true });
    await house.enter(dan).catch(() => undefined);
    act(host, { kind: 'lock', locked: false });
    await house.enter(identity('Eve'));
    house.run(4_000);
    for (const person of [speaker, listener]) house.reconnect(person);
    house.run(2_000);
    for (const person of [speaker, listener]) {
      expect(person.keys.log?.epoch).toBe(house.log.epoch);
      expect(speak(house, host, person)).toBe('opened');
    }
    expect(speak(house, speaker, host)).toBe('opened');
  });

  it('replaces the join before, on the stage too', async () => {
    const speaker = await house.enter(ben);
    toStage(speaker);
    house.disconnect(speaker);
    const again = await house.enter(ben);
    house.until(() => again.keys.log?.isFull === true);
    expect(again.keys.seat).toBe(2);
    house.run(1_500);
    expect(speak(house, again, host)).toBe('opened');
  });

  it('restarts a room that everybody has left', async () => {
    const listener = await house.enter(ben);
    house.disconnect(host);
    house.run(16_000);
    expect(listener.warned('stale')).toBe(true);
    const again = await house.enter(ada);
    house.run(1_500);
    expect(again.keys.seat).toBe(1);
    expect(speak(house, again, listener)).toBe('opened');
    expect(listener.warned('stale')).toBe(false);
    expect(listener.keys.log?.epoch).toBe(house.log.epoch);
  });
});

describe('a sender', () => {
  it('stops where no entry comes for 15 s, and goes on with the next', () => {
    host.deaf = true;
    house.run(16_000);
    expect(host.keys.maySend(house.nowMs)).toBe(false);
    expect(host.warned('stale')).toBe(true);
    host.deaf = false;
    house.reconnect(host);
    house.run(8_000);
    expect(host.keys.maySend(house.nowMs)).toBe(true);
    expect(host.warned('stale')).toBe(false);
  });
});

describe('a closed room', () => {
  beforeEach(async () => {
    house = await House.make(ada, RoomKind.CLOSED);
    host = await house.enter(ada);
  });

  it('lets in who has the link, and nobody else', async () => {
    await house.enter(ben);
    const stranger = await house.join(cleo, false);
    house.run(1_000);
    expect(stranger.keys.admitted).toBe(false);
    expect(house.refusals).toEqual([{ name: 'Cleo', reason: 1 }]);
  });

  it('gives the link to those on the stage, and voids it with an eject', async () => {
    const listener = await house.enter(ben);
    const speaker = await house.enter(cleo);
    toStage(speaker);
    act(host, { kind: 'eject', leaf: listener.leaf });
    await house.join(dan);
    house.run(1_000);
    expect(house.refusals.at(-1)).toEqual({ name: 'Dan', reason: 1 });
    act(host, { kind: 'renew-link' });
    house.run(100);
    expect(speaker.keys.link.secret).not.toEqual(house.linkSecret);
    expect(speaker.keys.link.secret).toEqual(host.keys.link.secret);
  });

  it('has no old link checked by, or given out by, who came back with it', async () => {
    const speaker = await house.enter(ben);
    toStage(speaker);
    act(host, { kind: 'make-moderator', leaf: speaker.leaf });
    act(speaker, { kind: 'renew-link' });
    house.run(100);
    const { secret } = speaker.keys.link;
    if (secret === null) throw new Error('no link');
    house.disconnect(host);
    const listener = await house.enter(cleo, secret);
    const again = await house.enter(ada);
    house.until(() => again.keys.log?.isFull === true);
    await house.join(dan, secret);
    house.run(500);
    expect(house.refusals).toEqual([{ name: 'Dan', reason: Reason.CANNOT_CHECK }]);
    toStage(listener, again);
    expect(listener.keys.link.secret).toEqual(secret);
    act(again, { kind: 'renew-link' });
    house.run(100);
    expect(listener.keys.link.secret).not.toEqual(secret);
    await house.join(identity('Eve'), secret);
    house.run(500);
    expect(house.refusals.at(-1)).toEqual({ name: 'Eve', reason: Reason.NO_LINK });
  });

  it('takes no other link with a seat from whoever knows that it has the current one', async () => {
    const listener = await house.enter(ben);
    Object.assign(host.keys.link, { secret: new Uint8Array(16).fill(9) });
    toStage(listener);
    expect(listener.keys.link.secret).toEqual(house.linkSecret);
  });

  it('is shut to a listener that left within a minute or so', async () => {
    const listener = await house.enter(ben);
    const before = house.log.epoch;
    house.task(host, 'depart', listener.leaf);
    house.run(65_000);
    expect(house.log.epoch).toBe(before + 1);
    expect(speak(house, host, listener)).not.toBe('opened');
  });
});
