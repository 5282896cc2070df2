import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { Role } from '../../src/gen/alcove/v1/common_pb';
import { Advance, LogChainSchema } from '../../src/gen/alcove/v1/keys_pb';
import type { LogChain, LogOp } from '../../src/gen/alcove/v1/keys_pb';
import { compare, kNoBytes, toHex } from '../../src/keys/bytes';
import { walkChain } from '../../src/keys/log_chain';
import { LogState } from '../../src/keys/log_state';
import { isAuthority, isShort } from '../../src/keys/log_types';
import type { Certificate, Entry } from '../../src/keys/objects';
import { Roster, RosterView } from '../../src/keys/roster';
import { SeatBook } from '../../src/keys/stage_state';
import { admit, depart, op, personOf, Room, seedOf } from './log_fixture';
import type { Person } from './log_fixture';

function roleOp(person: Person, role: Role): LogOp {
  return op({ case: 'role', value: { leaf: person.leaf, role } });
}

function eject(person: Person): LogOp {
  return op({ case: 'eject', value: { leaf: person.leaf, identity: person.identity } });
}

function lock(locked: boolean): LogOp {
  return op({ case: 'lock', value: { locked } });
}

function seats(state: LogState): [number, string, Role][] {
  return [...state.stage.values()].map(({ seat, certificate, role }) => [
    seat,
    certificate.displayName,
    role,
  ]);
}

/** The entries that a listener gets. */
function shortPath(room: Room): Entry[] {
  const state = new LogState(room.genesis);
  return room.entries.filter((entry) => {
    const isOnIt = isShort(state.classOf(entry.body));
    state.apply(entry, 'full');
    return isOnIt;
  });
}

function chainOf(room: Room): LogChain {
  const state = new LogState(room.genesis);
  const authority = room.entries.filter((entry) => {
    const isListed = isAuthority(state.classOf(entry.body));
    state.apply(entry, 'full');
    return isListed;
  });
  const advance = room.entries.findLast(({ body }) => body.advance !== Advance.NONE);
  const head = shortPath(room).at(-1);
  if (advance === undefined || head === undefined) throw new Error('no entry');
  return create(LogChainSchema, {
    genesis: room.genesis.object,
    authority: authority.map(({ object }) => object),
    advance: advance.object,
    head: head.object,
  });
}

function walked(room: Room): LogState {
  const chain = walkChain(chainOf(room), room.genesis.fingerprint);
  if (typeof chain === 'string') throw new Error(chain);
  return chain.state;
}

function inOrder(people: readonly Person[]): Certificate[] {
  return people
    .map(({ certificate }) => certificate)
    .sort((left, right) => compare(left.leafHash, right.leafHash));
}

describe('LogState', () => {
  it('begins with the host alone on the stage', async () => {
    const room = await Room.open();
    expect(seats(room.state)).toEqual([[1, 'Ada', Role.MODERATOR]]);
    expect(room.state.isFull).toBe(true);
    expect(room.state.epoch).toBe(1);
    expect(room.state.nextFreeSeat()).toBe(2);
    expect(room.state.member(room.host.leaf)).toEqual(room.host.certificate);
  });

  it('says what each entry did', async () => {
    const room = await Room.open();
    const bea = await room.person('Bea');
    const { certificate, leaf } = bea;
    const apply = (ops: LogOp[]) => {
      const entry = room.draft(room.host, ops);
      return typeof entry === 'string' ? entry : room.state.apply(entry, 'full');
    };
    const listener = { seat: 0, role: Role.LISTENER };
    expect(apply([admit(bea)])).toEqual([
      { kind: 'admitted', certificate, replaced: null, ...listener },
    ]);
    const change = { kind: 'role', leaf, seat: 2, byRule: false };
    expect(apply([room.speakerOp(bea)])).toEqual([
      { ...change, before: Role.LISTENER, after: Role.SPEAKER },
    ]);
    const next = await room.person('Bea', 2);
    expect(apply([admit(next)])).toEqual([
      {
        kind: 'admitted',
        certificate: next.certificate,
        replaced: leaf,
        seat: 2,
        role: Role.SPEAKER,
      },
    ]);
    expect(apply([lock(true)])).toEqual([{ kind: 'locked', locked: true }]);
    expect(apply([eject(next)])).toEqual([
      { kind: 'departed', leaf: next.leaf, seat: 2, ejected: true },
      { kind: 'link', generation: 0, voided: true },
    ]);
    expect(room.state.isBlocked(bea.identity)).toBe(true);
    expect(room.state.linkVoid).toBe(true);
  });

  it('makes the longest on the stage moderator when none is left', async () => {
    const room = await Room.open();
    const bea = await room.speaker('Bea');
    const cem = await room.speaker('Cem');
    room.write(bea, []);
    const entry = room.write(room.host, [depart(room.host)]);
    expect(entry.body.epoch).toBe(1);
    expect(seats(room.state)).toEqual([
      [2, 'Bea', Role.MODERATOR],
      [3, 'Cem', Role.SPEAKER],
    ]);
    expect(room.state.hasAuthority(bea.identity)).toBe(true);
    expect(room.state.hasAuthority(cem.identity)).toBe(false);
    expect(room.state.hasAuthority(room.host.identity)).toBe(true);
  });

  it('lets a stage member depart another only after 30 s', async () => {
    const room = await Room.open();
    const bea = await room.speaker('Bea');
    const cem = await room.speaker('Cem');
    room.write(cem, []);
    const since = room.state.onStage(cem.leaf)?.lastEntryMs ?? 0n;
    room.timeMs = since + 29_999n;
    expect(room.draft(bea, [depart(cem)])).toBe('not_permitted');
    expect(room.draft(room.host, [depart(cem)])).toBeTypeOf('object');
    room.timeMs = since + 30_000n;
    room.write(bea, [depart(cem)]);
    expect(room.state.atSeat(3)).toBeNull();
    // Nobody has had seat 4.
    expect(room.state.nextFreeSeat()).toBe(4);
  });

  it('lets nobody write after leaving the stage in the same entry', async () => {
    const room = await Room.open();
    const bea = await room.speaker('Bea');
    const dan = await room.person('Dan');
    expect(room.draft(bea, [depart(bea), admit(dan)])).toBe('not_permitted');
    expect(room.draft(bea, [roleOp(bea, Role.LISTENER), admit(dan)])).toBe('not_permitted');
    expect(room.draft(bea, [admit(dan), depart(bea)])).toBeTypeOf('object');
  });

  it('drafts only what the author may write', async () => {
    const room = await Room.open();
    const bea = await room.speaker('Bea');
    const dan = await room.person('Dan');
    const eve = await room.person('Eve');
    room.write(bea, [admit(dan)]);
    expect(room.draft(dan, [])).toBe('bad_author');
    expect(room.draft(bea, [admit(dan)])).toBe('not_permitted');
    expect(room.draft(bea, [admit(eve, 3)])).toBe('not_permitted');
    expect(room.draft(bea, [lock(true)])).toBe('not_permitted');
    expect(room.draft(bea, [eject(dan)])).toBe('not_permitted');
    expect(room.draft(room.host, [eject(eve)])).toBe('not_permitted');
    expect(room.draft(room.host, [roleOp(dan, Role.MODERATOR)])).toBe('not_permitted');
    expect(room.draft(room.host, [room.speakerOp(dan, 4)])).toBe('not_permitted');
    expect(room.draft(room.host, [lock(true), lock(false)])).toBe('not_permitted');
    expect(await room.draftResume(bea, [admit(bea)])).toBe('bad_author');
    room.write(room.host, [lock(true)]);
    expect(room.draft(bea, [admit(eve)])).toBe('not_permitted');
    expect(room.draft(room.host, [admit(eve)])).toBeTypeOf('object');
    expect(room.draft(bea, [admit(await room.person('Dan', 2))])).toBeTypeOf('object');
  });

  it('is full after 1,024 authority entries', async () => {
    const room = await Room.open();
    for (let i = 1; i < 1024; ++i) room.write(room.host, [lock(i % 2 === 0)]);
    expect(room.state.authorityEntries).toBe(1024);
    expect(room.draft(room.host, [lock(true)])).toBe('log_full');
    expect(room.draft(room.host, [], Advance.RATCHET)).toBeTypeOf('object');
  }, 60_000);

  it('counts different identities of invites', async () => {
    const room = await Room.open();
    const invite = (from: number) =>
      op({
        case: 'invite',
        value: { identities: Array.from({ length: 64 }, (_, i) => seedOf(String(from + i))) },
      });
    for (let i = 0; i < 16; ++i) room.write(room.host, [invite(64 * i)]);
    room.write(room.host, [invite(100)]);
    expect(room.draft(room.host, [invite(1000)])).toBe('not_permitted');
    expect(room.state.isInvited(seedOf('1023'))).toBe(true);
    expect(room.state.isInvited(seedOf('1024'))).toBe(false);
  });

  it('changes nothing on an error, and a copy changes nothing in it', async () => {
    const room = await Room.open();
    const bea = await room.speaker('Bea');
    const before = [toHex(room.state.last), toHex(room.state.rosterHash)];
    const copy = room.state.clone();
    const entry = room.draft(room.host, [eject(bea)]);
    if (typeof entry === 'string') throw new Error(entry);
    expect(room.forge(room.host, entry.body, { rosterSize: 2 })).toBe('wrong_state');
    expect(room.forge(room.host, entry.body, { stageHash: seedOf('x') })).toBe('wrong_state');
    expect(room.forge(bea, entry.body, {})).toBe('bad_signature');
    expect(copy.apply(entry, 'full')).toBeTypeOf('object');
    expect([toHex(room.state.last), toHex(room.state.rosterHash)]).toEqual(before);
    expect(room.state.isBlocked(bea.identity)).toBe(false);
    expect(room.state.member(bea.leaf)).not.toBeNull();
    expect(copy.member(bea.leaf)).toBeNull();
  });
});

describe('SeatBook', () => {
  it('gives a seat again only when all were had, the one given back first', () => {
    const book = new SeatBook();
    for (let seat = 1; seat <= 255; ++seat) {
      expect(book.nextFree()).toBe(seat);
      book.take();
      if (seat === 9) book.giveBack(9);
      if (seat === 200) book.giveBack(3);
    }
    expect(book.nextFree()).toBe(9);
    book.take();
    const copy = book.clone();
    expect(book.nextFree()).toBe(3);
    book.take();
    expect(book.nextFree()).toBeNull();
    book.giveBack(255);
    expect(book.nextFree()).toBe(255);
    expect(copy.nextFree()).toBe(3);
  });
});

describe('a resume', () => {
  it('takes the own place on the stage, or the next free seat', async () => {
    const room = await Room.open();
    const bea = await room.speaker('Bea');
    const again = await room.person('Ada', 2);
    expect(await room.draftResume(again, [admit(again, 3)])).toBe('not_permitted');
    await room.resume(again, [admit(again), depart(bea)]);
    expect(seats(room.state)).toEqual([[1, 'Ada', Role.MODERATOR]]);
    room.write(again, [depart(again)]);
    expect(room.state.stage.size).toBe(0);
    const third = await room.person('Ada', 3);
    expect(await room.draftResume(third, [admit(third)])).toBe('not_permitted');
    await room.resume(third, [admit(third, 3)]);
    expect(seats(room.state)).toEqual([[3, 'Ada', Role.MODERATOR]]);
    expect(room.state.roster()).toEqual([third.certificate]);
  });

  it('is signed by the identity, not by the leaf', async () => {
    const room = await Room.open();
    const again = await room.person('Ada', 2);
    const entry = await room.draftResume(again, [admit(again)]);
    if (typeof entry === 'string') throw new Error(entry);
    expect(room.forge(again, entry.body, {})).toBe('bad_signature');
    expect(room.state.apply(entry, 'full')).toBeTypeOf('object');
  });
});

describe('a listener', () => {
  async function history(): Promise<{ room: Room; people: Person[] }> {
    const room = await Room.open();
    const bea = await room.speaker('Bea');
    const dan = await room.person('Dan');
    const eve = await room.person('Eve');
    room.write(bea, [admit(dan), admit(eve)]);
    room.write(room.host, [], Advance.RATCHET);
    room.write(bea, []);
    room.write(room.host, [eject(eve)], Advance.FRESH);
    room.write(bea, []);
    room.write(bea, [admit(await room.person('Eli')), depart(dan)]);
    return { room, people: [room.host, bea, await room.person('Eli')] };
  }

  it('walks the chain to the same stage', async () => {
    const { room } = await history();
    const state = walked(room);
    expect(state.isFull).toBe(false);
    expect(seats(state)).toEqual(seats(room.state));
    expect(state.lastShort).toEqual(room.state.lastShort);
    expect(state.epoch).toBe(room.state.epoch);
    expect(state.isBlocked((await room.person('Eve')).identity)).toBe(true);
  });

  it('follows in short, then takes the roster and goes on in full', async () => {
    const { room, people } = await history();
    const state = room.follow('short', shortPath(room));
    expect(
      state.draft({ author: people[0]?.leaf ?? kNoBytes, ops: [], advance: 0, timeMs: 0n }),
    ).toBe('wrong_state');
    const head = room.entries.at(-1);
    if (head === undefined) throw new Error('no entry');
    const roster = inOrder(people);
    expect(state.adoptRoster(roster.slice(1), head)).toBe('wrong_state');
    expect(state.adoptRoster([...roster].reverse(), head)).toBe('wrong_state');
    const doubled = (await personOf(room.genesis, 'Ada', 7)).certificate;
    const wrong = [...roster.slice(1), doubled].sort((left, right) =>
      compare(left.leafHash, right.leafHash),
    );
    expect(state.adoptRoster(wrong, head)).toMatch(/wrong_state|bad_certificate/);
    const old = room.entries.at(-3);
    if (old === undefined) throw new Error('no entry');
    expect(state.adoptRoster(roster, old)).toBe('fork');
    expect(state.isFull).toBe(false);
    expect(state.adoptRoster(roster, head)).toBeNull();
    expect(state.roster()).toEqual(room.state.roster());
    const next = room.write(room.host, [depart(people[2] ?? room.host)]);
    expect(state.apply(next, 'full')).toBeTypeOf('object');
    state.forgetRoster();
    expect(state.roster()).toEqual([]);
    expect(state.check(room.write(room.host, []), 'full')).toBe('wrong_state');
  });

  it('notices that an entry of the short path is missing', async () => {
    const { room } = await history();
    const entries = shortPath(room);
    const state = room.follow('short', entries.slice(0, 3));
    const later = entries[4];
    if (later === undefined) throw new Error('no entry');
    expect(state.apply(later, 'short')).toBe('fork');
  });
});

describe('a large roster', () => {
  it('of 5,000 is not copied for every entry', async () => {
    const room = await Room.open();
    const one = room.host.certificate;
    // Certificates that need no signature: the roster takes what was checked before.
    const others = Array.from({ length: 4999 }, (_, i) => ({
      ...one,
      leafHash: seedOf(`leaf hash ${String(i)}`),
      identity: seedOf(`identity ${String(i)}`),
    }));
    const all = [one, ...others].sort((left, right) => compare(left.leafHash, right.leafHash));
    const roster = Roster.ofOrdered(all);
    if (typeof roster === 'string') throw new Error(roster);
    expect(roster.certificates()).toEqual(all);
    const view = new RosterView(roster);
    const [gone, replaced] = [all[17], all[4999]];
    if (gone === undefined || replaced === undefined) throw new Error('no member');
    view.remove(gone.leafHash);
    view.remove(replaced.leafHash);
    const added = { ...replaced, leafHash: seedOf('new leaf') };
    view.add(added);
    expect(view.size).toBe(4999);
    expect(view.findIdentity(replaced.identity)).toEqual(added);
    expect(view.findIdentity(gone.identity)).toBeNull();
    const expected = Roster.ofOrdered(
      [...all.filter((member) => member !== gone && member !== replaced), added].sort(
        (left, right) => compare(left.leafHash, right.leafHash),
      ),
    );
    if (typeof expected === 'string') throw new Error(expected);
    expect(view.hash()).toEqual(expected.hash());
    expect(roster.size).toBe(5000);
    roster.commit(view.changes());
    expect(roster.hash()).toEqual(expected.hash());
    expect(roster.certificates()).toEqual(expected.certificates());
    expect(roster.findIdentity(replaced.identity)).toEqual(added);
  });
});
