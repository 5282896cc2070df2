// What a house that lies, and members that do, get out of it.

import { create } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, it } from 'vitest';
import { Advance, LogOpSchema } from '../../src/gen/alcove/v1/keys_pb';
import type { KeysFromServer } from '../../src/gen/alcove/v1/keys_pb';
import { concat, kNoBytes } from '../../src/keys/bytes';
import { ed25519Sign } from '../../src/keys/crypto';
import { makeEntry } from '../../src/keys/objects';
import type { Entry } from '../../src/keys/objects';
import { House, identity, speak } from './house';
import type { Person } from './house';

const ada = identity('Ada');
const ben = identity('Ben');
const cleo = identity('Cleo');

let house: House;
let host: Person;
let speaker: Person;
let listener: Person;

beforeEach(async () => {
  house = await House.make(ada);
  host = await house.enter(ada);
  speaker = await house.enter(ben);
  listener = await house.enter(cleo);
  host.keys.allowStage(speaker.leaf);
  house.task(host, 'giveStage', speaker.leaf);
  house.until(() => speaker.keys.log?.isFull === true);
});

/** An entry of that author as the next one, with what the author could not have. */
function forged(author: Person, locked: boolean, change: (body: Entry['body']) => void): Entry {
  const op = create(LogOpSchema, { op: { case: 'lock', value: { locked } } as never });
  const body = house.log.draft({
    author: host.leaf,
    ops: [op],
    advance: Advance.NONE,
    timeMs: BigInt(house.wallMs),
  });
  if (typeof body === 'string') throw new Error(body);
  change(body);
  return makeEntry(house.log.fingerprint, body, kNoBytes, (message) =>
    ed25519Sign(author.keys.own.leafSeed, message),
  );
}

function deliver(person: Person, entry: Entry): void {
  house.send(person, 'delivery', { entries: [{ entry: entry.object }] });
  house.run(50);
}

function stops(person: Person, code: string): void {
  expect(person.warned(code)).toBe(true);
  expect(person.keys.failed).toBe(true);
  expect(person.keys.maySend(house.nowMs)).toBe(false);
}

/** Turns the byte of a box of who is told something fresh. */
function spoilBoxes(person: Person, message: KeysFromServer, to: Person): KeysFromServer {
  if (person !== to || message.message.case !== 'delivery') return message;
  for (const entry of message.message.value.entries) {
    if (entry.box.length > 0) entry.box = concat(entry.box.subarray(1), Uint8Array.of(1));
  }
  return message;
}

describe('a house that lies', () => {
  it('cannot write an entry: what nobody signed is not applied', () => {
    deliver(
      speaker,
      forged(listener, true, () => undefined),
    );
    stops(speaker, 'failed_check');
    expect(speaker.keys.log?.locked).toBe(false);
  });

  it('cannot show two logs: the second is a fork', () => {
    const other = forged(host, true, () => undefined);
    deliver(speaker, other);
    expect(speaker.keys.log?.locked).toBe(true);
    house.run(6_000);
    stops(speaker, 'fork');
    expect(host.keys.failed).toBe(false);
  });

  it('cannot leave an entry out for a listener', () => {
    house.tamper = (person, message) =>
      person === listener && message.message.case === 'delivery' ? undefined : message;
    host.keys.command(house.nowMs, house.wallMs, 1, { kind: 'lock', locked: true });
    house.run(200);
    house.tamper = (_, message) => message;
    house.run(8_000);
    stops(listener, 'fork');
  });

  it('cannot put a ghost among those who hear: a box for it needs an entry', async () => {
    const ghost = await house.join(identity('Ghost'));
    house.intake = (_, message) => {
      const { message: inner } = message;
      if (inner.case === 'append' && inner.value.joinBoxes.length > 0) return undefined;
      return message;
    };
    const before = house.log.epoch;
    house.run(8_000);
    expect(ghost.keys.admitted).toBe(false);
    house.run(2_000);
    // The box that went out is of an epoch that is over.
    expect(house.log.epoch).toBeGreaterThan(before);
    expect(house.log.member(ghost.leaf)).toBeNull();
  });

  it('cannot let somebody in with another chain', async () => {
    for (const locked of [true, false]) {
      host.keys.command(house.nowMs, house.wallMs, 1, { kind: 'lock', locked });
    }
    house.run(500);
    house.tamper = (_, message) => {
      if (message.message.case === 'admitted' && message.message.value.chain?.head) {
        message.message.value.chain.authority.splice(1, 1);
      }
      return message;
    };
    const joiner = await house.join(identity('Dan'));
    house.run(1_000);
    expect(joiner.keys.admitted).toBe(false);
    expect(joiner.keys.failed).toBe(true);
    expect(joiner.warned('fork') || joiner.warned('failed_check')).toBe(true);
  });

  it('cannot let somebody in with a box of its own', async () => {
    house.tamper = (_, message) => {
      const { message: inner } = message;
      if (inner.case === 'admitted' || inner.case === 'box') inner.value.box = new Uint8Array(84);
      return message;
    };
    const joiner = await house.join(identity('Dan'));
    house.run(1_000);
    expect(joiner.keys.warnings).toMatchObject([
      { code: 'faulty_author', name: 'Ada' },
      { code: 'unknown_epoch' },
    ]);
    expect(joiner.keys.frames.liveEpochs()).toEqual([]);
    expect(joiner.keys.maySend(house.nowMs)).toBe(false);
    expect(speak(house, host, joiner)).toBe('unknown-epoch');
  });

  it('that spoils the box of a joiner leaves it without the epoch only until another gives it', async () => {
    house.tamper = (_, message) => {
      if (message.message.case === 'admitted') message.message.value.box = new Uint8Array(84);
      return message;
    };
    const joiner = await house.join(identity('Dan'));
    house.run(1_000);
    expect(joiner.keys.admitted).toBe(true);
    expect(joiner.keys.failed).toBe(false);
    expect(speak(house, host, joiner)).toBe('opened');
    expect(joiner.warned('unknown_epoch')).toBe(false);
    house.run(8_000);
    expect(joiner.keys.log?.epoch).toBe(house.log.epoch);
    expect(speak(house, host, joiner)).toBe('opened');
  });

  it('that gives no box leaves a client asking, not spinning, also where the connection is gone', () => {
    house.tamper = (person, message) =>
      person === speaker && message.message.case === 'box'
        ? undefined
        : spoilBoxes(person, message, speaker);
    host.keys.command(house.nowMs, house.wallMs, 1, { kind: 'eject', leaf: listener.leaf });
    house.run(300);
    house.disconnect(speaker);
    house.run(3_000);
    expect(speaker.keys.deadlineMs).toBeGreaterThan(house.nowMs);
    house.tamper = (_, message) => message;
    house.reconnect(speaker);
    house.run(200);
    expect(speak(house, host, speaker)).toBe('opened');
  });

  it('that keeps a box back stops the member that lacks it, until another gives it', () => {
    let keepBack = true;
    house.tamper = (person, message) => {
      if (keepBack && person === speaker && message.message.case === 'box') return undefined;
      return spoilBoxes(person, message, speaker);
    };
    host.keys.command(house.nowMs, house.wallMs, 1, { kind: 'eject', leaf: listener.leaf });
    house.run(300);
    expect(speaker.keys.maySend(house.nowMs)).toBe(false);
    expect(speaker.warned('unknown_epoch')).toBe(true);
    expect(speaker.warned('faulty_author')).toBe(true);
    keepBack = false;
    house.run(4_000);
    expect(speaker.keys.maySend(house.nowMs)).toBe(true);
    expect(speak(house, host, speaker)).toBe('opened');
  });

  it('cannot take a moderator out who is there without it being told', () => {
    // The house says that the host is gone; its log entries are half a minute old by the clock of a liar.
    house.tamper = (person, message) =>
      person === host && message.message.case === 'delivery' ? undefined : message;
    const body = house.log.draft({
      author: speaker.leaf,
      ops: [create(LogOpSchema, { op: { case: 'depart', value: { leaf: host.leaf } } as never })],
      advance: Advance.NONE,
      timeMs: BigInt(house.wallMs + 40_000),
    });
    if (typeof body === 'string') throw new Error(body);
    const entry = makeEntry(house.log.fingerprint, body, kNoBytes, (message) =>
      ed25519Sign(speaker.keys.own.leafSeed, message),
    );
    deliver(listener, entry);
    expect(listener.warned('early_depart')).toBe(true);
  });
});

describe('frames', () => {
  it('of an epoch that no entry announced stop a sender after 1 s', () => {
    for (let i = 0; i < 70; ++i) {
      host.keys.noteFrame(house.nowMs, { kind: 'unknown-epoch' });
      house.run(20);
    }
    expect(host.keys.maySend(house.nowMs)).toBe(false);
    expect(host.warned('unknown_epoch')).toBe(true);
    house.run(6_000);
    expect(host.keys.maySend(house.nowMs)).toBe(true);
    expect(host.warned('unknown_epoch')).toBe(false);
  });

  it('that do not open for 2 s name who is not on the same log', () => {
    for (let i = 0; i < 120; ++i) {
      listener.keys.noteFrame(house.nowMs, { kind: 'dropped', reason: 'not_opened', seat: 2 });
      house.run(20);
    }
    expect(listener.keys.warnings).toMatchObject([{ code: 'not_same_log', name: 'Ben' }]);
    expect(speak(house, speaker, listener)).toBe('opened');
    expect(listener.keys.warnings).toEqual([]);
  });
});

describe('what a member can show', () => {
  it('is the roster, which a listener asks for and checks', () => {
    listener.keys.requestRoster(house.nowMs, 7);
    house.run(200);
    const roster = listener.events.find((event) => event.kind === 'roster');
    if (roster?.kind !== 'roster') throw new Error('no roster');
    expect(roster.certificates?.map(({ displayName }) => displayName).sort()).toEqual([
      'Ada',
      'Ben',
      'Cleo',
    ]);
    expect(listener.keys.log?.isFull).toBe(false);
    house.run(8_000);
    expect(listener.keys.failed).toBe(false);
  });

  it('is the roster as of its first part, whatever is written between the parts', () => {
    house.heldParts = [];
    listener.keys.requestRoster(house.nowMs, 7);
    house.run(300);
    const before = house.log.n;
    host.keys.command(house.nowMs, house.wallMs, 1, { kind: 'lock', locked: true });
    house.until(() => house.log.n > before);
    house.run(50);
    for (const give of house.heldParts.splice(0)) give();
    house.heldParts = null;
    house.run(100);
    const roster = listener.events.find((event) => event.kind === 'roster');
    if (roster?.kind !== 'roster') throw new Error('no roster');
    expect(roster.certificates).toHaveLength(3);
  });

  it('is the log, as far as the member has it', () => {
    const whole = host.keys.exportLog();
    expect(whole?.entries).toHaveLength(Number(house.log.n));
    const part = speaker.keys.exportLog();
    expect(part?.roster).toHaveLength(3);
    expect(part?.authority.length).toBeGreaterThan(0);
  });

  it('is answered for a listener that is not let in with nothing', async () => {
    const outside = await house.join(identity('Dan'));
    outside.keys.requestRoster(house.nowMs, 3);
    outside.keys.command(house.nowMs, house.wallMs, 4, { kind: 'lock', locked: true });
    const events = outside.keys.takeEvents();
    expect(events).toContainEqual({ kind: 'roster', id: 3, certificates: null });
    expect(events).toContainEqual({ kind: 'answer', id: 4, result: 'not_possible' });
    expect(outside.keys.exportLog()).toBeNull();
  });
});
