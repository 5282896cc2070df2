import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeysChannel } from '../../src/keys/keys_channel';
import type { JoinInit, KeysAnswer, KeysSnapshot, KeysToWorker } from '../../src/keys/messages';
import { kNoEarlierJoin } from '../../src/keys/room_keys';

const name = { account: '7', visit: '' };
const bytes = Uint8Array.of(1, 2);
const init: JoinInit = {
  ...{ name, displayName: 'Ada', genesis: bytes, fingerprint: null, linkSecret: null },
  ...kNoEarlierJoin,
};

let posted: KeysToWorker[];
let channel: KeysChannel;

beforeEach(() => {
  vi.useFakeTimers();
  posted = [];
  channel = new KeysChannel((message) => posted.push(message));
});
afterEach(() => {
  vi.useRealTimers();
});

function requestOf(at: number): number {
  const message = posted.at(at);
  if (message === undefined || !('request' in message)) throw new Error('no request');
  return message.request;
}

function answer(request: number, given: KeysAnswer): void {
  channel.handle({ type: 'keys-answer', request, answer: given });
}

describe('what is asked of the worker', () => {
  it('has the answer of its own number, in whatever order they come', async () => {
    const joined = channel.join(init);
    const locked = channel.command({ kind: 'lock', locked: true });
    expect(posted.map(({ type }) => type)).toEqual(['keys-join', 'keys-command']);
    answer(requestOf(1), { kind: 'done' });
    answer(requestOf(0), { kind: 'bytes', bytes, fragment: '' });
    await expect(locked).resolves.toBeUndefined();
    await expect(joined).resolves.toEqual(bytes);
  });

  it('fails with the reason that the worker gives, or with an answer of another kind', async () => {
    const roster = channel.roster();
    answer(requestOf(-1), { kind: 'failed', reason: 'not_possible' });
    await expect(roster).rejects.toMatchObject({ reason: 'keys.not_possible' });
    const log = channel.exportLog();
    answer(requestOf(-1), { kind: 'done' });
    await expect(log).rejects.toMatchObject({ reason: 'keys.bad_answer' });
  });

  it('fails after 20 s without an answer; one that comes later is nobody’s', async () => {
    const locked = channel.command({ kind: 'lock', locked: true });
    const failed = expect(locked).rejects.toMatchObject({ reason: 'keys.no_answer' });
    vi.advanceTimersByTime(19_999);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    await failed;
    expect(() => {
      answer(requestOf(-1), { kind: 'done' });
    }).not.toThrow();
  });

  it('is forgotten whatever comes of it', async () => {
    const forgotten = channel.forget(name);
    answer(requestOf(-1), { kind: 'failed', reason: 'not_possible' });
    await expect(forgotten).resolves.toBeUndefined();
  });
});

it('what the worker says by itself goes to the listener, and to nobody before there is one', () => {
  const snapshot = { seat: 3 } as KeysSnapshot;
  channel.handle({ type: 'keys-view', snapshot });
  const heard: unknown[] = [];
  channel.listen({
    onToServer: (message) => heard.push(message),
    onSnapshot: (given) => heard.push(given),
  });
  channel.handle({ type: 'keys-to-server', message: bytes });
  channel.handle({ type: 'keys-view', snapshot });
  expect(heard).toEqual([bytes, snapshot]);
});
