import { create, toBinary } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiClient } from '../src/api';
import { Role } from '../src/gen/alcove/v1/common_pb';
import { SignedObjectSchema } from '../src/gen/alcove/v1/keys_pb';
import { MemberSchema, RoomStateSchema } from '../src/gen/alcove/v1/rooms_pb';
import { toBase64Url } from '../src/keys/bytes';
import { KeysChannel } from '../src/keys/keys_channel';
import { linkFragmentText } from '../src/keys/link';
import type { KeysAnswer, KeysSnapshot, KeysToWorker } from '../src/keys/messages';
import { emptyKeys } from '../src/keys/view';
import type { KeysView } from '../src/keys/view';
import {
  endVisit,
  forgetLinkFragment,
  keepLinkFragment,
  linkFragment,
} from '../src/room/link_fragment';
import { RoomKeysHost } from '../src/room/room_keys_host';

const genesis = create(SignedObjectSchema, { body: Uint8Array.of(1), signature: Uint8Array.of(2) });
const fingerprint = new Uint8Array(32).fill(1);
const fragmentOf = (byte: number) =>
  linkFragmentText({ fingerprint, secret: new Uint8Array(16).fill(byte) });
const leaf = new Uint8Array(32).fill(5);

let posted: KeysToWorker[];
let channel: KeysChannel;
let asked: number;
let fails: boolean;
let session: unknown;
let changes: number;
let toServer: Uint8Array[];
let host: RoomKeysHost;

beforeEach(() => {
  [posted, toServer, asked, changes] = [[], [], 0, 0];
  fails = false;
  session = null;
  forgetLinkFragment('dusk');
  endVisit();
  channel = new KeysChannel((message) => posted.push(message));
  const room = () => {
    asked += 1;
    return fails ? Promise.reject(new Error('away')) : Promise.resolve({ genesis });
  };
  const api = { session: { load: () => session }, room } as unknown as ApiClient;
  const options = { api, roomId: 'dusk', baseUrl: 'https://alcove.example' };
  host = new RoomKeysHost(options, channel, {
    onToServer: (message) => toServer.push(message),
    onChange: () => (changes += 1),
  });
});

function answer(given: KeysAnswer): void {
  const request = posted.findLast((message) => 'request' in message);
  if (request === undefined || !('request' in request)) throw new Error('nothing asked');
  channel.handle({ type: 'keys-answer', request: request.request, answer: given });
}

function show(view: Partial<KeysView>, fragment = '', linkGeneration: number | null = null): void {
  const snapshot: KeysSnapshot = {
    view: { ...emptyKeys(), ...view },
    ...{ leaf: toBase64Url(leaf), seat: 1, fragment, linkGeneration },
  };
  channel.handle({ type: 'keys-view', snapshot });
}

async function joinInit(name: string) {
  const joined = host.joinKeys(name);
  await vi.waitFor(() => {
    expect(posted.at(-1)?.type).toBe('keys-join');
  });
  const message = posted.at(-1);
  answer({ kind: 'bytes', bytes: Uint8Array.of(9), fragment: '' });
  expect(await joined).toEqual(Uint8Array.of(9));
  if (message?.type !== 'keys-join') throw new Error('no join');
  return message.init;
}

describe('joining', () => {
  it('hands the genesis, the link and the name to the worker; a guest keeps the name', async () => {
    keepLinkFragment('dusk', fragmentOf(7));
    host.prepare();
    const init = await joinInit(' Fay ');
    expect(init).toMatchObject({ displayName: 'Fay', name: { account: 'guest' } });
    expect(init.genesis).toEqual(toBinary(SignedObjectSchema, genesis));
    expect(init.fingerprint).toEqual(fingerprint);
    expect(init.linkSecret).toEqual(new Uint8Array(16).fill(7));
    const again = await joinInit('');
    expect(again.displayName).toBe('Fay');
    expect(again.name).toEqual(init.name);
    expect(asked).toBe(1);
  });

  it('is as the account, where there is one, and without a link where none was opened', async () => {
    session = { guest: false, accountId: '42', displayName: 'Ada' };
    const init = await joinInit('');
    expect(init.name).toEqual({ account: '42', visit: '' });
    expect(init).toMatchObject({ displayName: 'Ada', fingerprint: null, linkSecret: null });
  });

  it('asks for the genesis again where it did not come', async () => {
    fails = true;
    await expect(host.joinKeys('Fay')).rejects.toThrow('away');
    fails = false;
    await joinInit('Fay');
    expect(asked).toBe(2);
  });

  it('that ends in a failed check says so, until somebody is in', () => {
    show({ warnings: [{ code: 'stale', name: '', detail: '' }] });
    expect(host.error).toBeNull();
    show({ warnings: [{ code: 'fork', name: '', detail: 'why' }] });
    expect(host.error).toMatchObject({ reason: 'keys.fork' });
    show({ admitted: true, warnings: [{ code: 'fork', name: '', detail: 'why' }] });
    expect(host.error).toBeNull();
    expect(changes).toBe(3);
  });
});

describe('the link', () => {
  it('is kept when it was renewed, for who came by it, and not after the visit is forgotten', async () => {
    show({ admitted: true, codeFromLink: false }, fragmentOf(2));
    expect(linkFragment('dusk')).toBeNull();
    show({ admitted: true, codeFromLink: true }, fragmentOf(3));
    expect(linkFragment('dusk')?.secret).toEqual(new Uint8Array(16).fill(3));
    expect(host.shareLink()).toBe(`https://alcove.example/r/dusk#${fragmentOf(3)}`);
    const forgotten = host.forget();
    show({ admitted: true, codeFromLink: true }, fragmentOf(4));
    expect(linkFragment('dusk')).toBeNull();
    answer({ kind: 'done' });
    await forgotten;
  });

  it('goes on into the next join of the visit, a reload too, with what is known of it', async () => {
    keepLinkFragment('dusk', fragmentOf(7));
    expect(await joinInit('Fay')).toMatchObject({ linkGeneration: null, wasInside: false });
    show({ admitted: true, codeFromLink: true }, fragmentOf(3), 1);
    show({ admitted: false, codeFromLink: true }, fragmentOf(3), null);
    const known = { linkGeneration: 1, wasInside: true };
    const secret = (byte: number) => new Uint8Array(16).fill(byte);
    expect(await joinInit('')).toMatchObject({ ...known, linkSecret: secret(3) });
    // Another link is opened in the same tab.
    keepLinkFragment('dusk', fragmentOf(7));
    const other = { linkGeneration: null, wasInside: true };
    expect(await joinInit('')).toMatchObject({ ...other, linkSecret: secret(7) });
    void host.forget();
    expect(await joinInit('')).toMatchObject({ linkGeneration: null, wasInside: false });
  });

  it('of who came without one is carried on, and is still not what the code is from', async () => {
    show({ admitted: true, codeFromLink: false }, fragmentOf(3), 0);
    const secret = new Uint8Array(16).fill(3);
    const init = await joinInit('Fay');
    expect(init).toMatchObject({ fingerprint: null, linkSecret: secret, linkGeneration: 0 });
  });

  it('of a guest’s visit goes with its identity: the next visit is another one', async () => {
    const first = await joinInit('Fay');
    void host.forget();
    expect(posted.at(-1)).toMatchObject({ type: 'keys-forget', name: first.name });
    expect((await joinInit('Fay')).name.visit).not.toBe(first.name.visit);
  });
});

describe('what is done to somebody', () => {
  const view = () => ({
    admitted: true,
    stage: [
      {
        ...{ memberId: 0, seat: 2, role: Role.SPEAKER, account: '9', name: 'Ben', guest: false },
        ...{ leaf: toBase64Url(leaf), identity: 'i', device: 'new' as const },
      },
    ],
  });

  it('goes to the join that the number is of, as the server said', async () => {
    show(view());
    const member = create(MemberSchema, { memberId: 31, displayName: 'Ben', leaf });
    const { keys } = host.verify(create(RoomStateSchema, { roomId: 'dusk', stage: [member] }));
    expect(keys.stage).toMatchObject([{ memberId: 31, name: 'Ben' }]);
    const done = host.commandFor(31, 'eject');
    const { type, command } = posted.at(-1) as { type: string; command?: unknown };
    expect([type, command]).toEqual(['keys-command', { kind: 'eject', leaf: toBase64Url(leaf) }]);
    answer({ kind: 'done' });
    await done;
    host.close();
  });

  it('is refused where nobody has the number', async () => {
    show(view());
    await expect(host.commandFor(99, 'eject')).rejects.toMatchObject({
      reason: 'room.member_not_found',
    });
    expect(posted).toEqual([]);
  });
});

it('who leaves does not wait longer than a second for the log', async () => {
  vi.useFakeTimers();
  const departed = host.depart();
  vi.advanceTimersByTime(1_000);
  expect(await departed).toBe(false);
  const written = host.depart();
  answer({ kind: 'done' });
  expect(await written).toBe(true);
  vi.useRealTimers();
});

it('what the worker has for the server goes to the connection', () => {
  channel.handle({ type: 'keys-to-server', message: Uint8Array.of(3) });
  expect(toServer).toEqual([Uint8Array.of(3)]);
});
