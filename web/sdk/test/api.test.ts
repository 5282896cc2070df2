import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ApiClient } from '../src/api';
import { AlcoveError } from '../src/errors';
import { SessionResponseSchema } from '../src/gen/alcove/v1/accounts_pb';
import { ErrorResponseSchema } from '../src/gen/alcove/v1/common_pb';
import { JoinKeysSchema } from '../src/gen/alcove/v1/keys_pb';
import {
  JoinRoomRequestSchema,
  JoinRoomResponseSchema,
  RoomCommandSchema,
} from '../src/gen/alcove/v1/rooms_pb';
import { MemorySessionStorage, WebSessionStorage, parseSession } from '../src/session';
import type { StoredSession } from '../src/session';

const kSession: StoredSession = {
  token: 'secret',
  accountId: 'a',
  username: 'ada',
  displayName: 'Ada',
  guest: false,
  expiresAtMs: 1,
};

const kSignedIn = create(SessionResponseSchema, {
  account: { accountId: 'g', displayName: 'Guest', guest: true },
  token: 'new',
  expiresAtMs: 5n,
});

interface Call {
  url: string;
  init: RequestInit;
}

function setUp(answer: () => Response | Promise<Response>) {
  const calls: Call[] = [];
  const session = new MemorySessionStorage();
  const api = new ApiClient({
    session,
    fetch: (url, init) => {
      calls.push({ url: url as string, init: init ?? {} });
      return Promise.resolve(answer());
    },
  });
  return { api, calls, session };
}

function binary(bytes: Uint8Array, status = 200): Response {
  return new Response(bytes.slice(), { status });
}

function failure(code: string, reason: string, status: number, retryAfterSeconds = 0): Response {
  const body = create(ErrorResponseSchema, { code, reason, message: 'm', retryAfterSeconds });
  return binary(toBinary(ErrorResponseSchema, body), status);
}

async function errorOf(promise: Promise<unknown>): Promise<AlcoveError> {
  const thrown: unknown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(thrown instanceof AlcoveError)) throw new Error('no AlcoveError');
  return thrown;
}

describe('ApiClient', () => {
  it('speaks binary protobuf, with the token where there is one', async () => {
    const { api, calls, session } = setUp(() => binary(new Uint8Array()));
    await api.config();
    expect(calls[0]?.url).toBe('/v1/config');
    expect(calls[0]?.init.headers).toEqual({ Accept: 'application/protobuf' });
    session.save(kSession);
    await api.command('r/1', 'join', { case: 'setMuted', value: { memberId: 0, muted: true } });
    expect(calls[1]?.url).toBe('/v1/rooms/r%2F1/commands');
    expect(calls[1]?.init.headers).toEqual({
      Accept: 'application/protobuf',
      'Content-Type': 'application/protobuf',
      Authorization: 'Bearer secret',
    });
    const sent = fromBinary(RoomCommandSchema, calls[1]?.init.body as Uint8Array);
    expect(sent).toMatchObject({
      joinToken: 'join',
      command: { case: 'setMuted', value: { muted: true } },
    });
    expect(calls[1]?.init).toMatchObject({ credentials: 'omit', referrerPolicy: 'no-referrer' });
  });

  it('keeps the session that a join gives a guest', async () => {
    const linkMac = new Uint8Array(32).fill(3);
    const joined = create(JoinRoomResponseSchema, { joinToken: 'j', guestSession: kSignedIn });
    const { api, calls, session } = setUp(() => binary(toBinary(JoinRoomResponseSchema, joined)));
    await api.join(
      'r',
      'v=0',
      'Guest',
      toBinary(JoinKeysSchema, create(JoinKeysSchema, { linkMac })),
    );
    expect(session.load()).toMatchObject({ token: 'new', guest: true, displayName: 'Guest' });
    const sent = fromBinary(JoinRoomRequestSchema, calls[0]?.init.body as Uint8Array);
    expect(sent).toMatchObject({ sdpOffer: 'v=0', guestName: 'Guest', keys: { linkMac } });
  });

  it('gives typed errors', async () => {
    const { api } = setUp(() => failure('resource_exhausted', 'rate_limited', 429, 7));
    expect(await errorOf(api.hallway())).toMatchObject({
      code: 'resource_exhausted',
      reason: 'rate_limited',
      key: 'rate_limited',
      retryAfter: 7,
      status: 429,
    });
  });

  it('makes an error of a page that is not ours, of nonsense, and of no answer', async () => {
    const page = new Response('<html>', { status: 503, headers: { 'Retry-After': '3' } });
    const busy = setUp(() => page);
    expect(await errorOf(busy.api.hallway())).toMatchObject({ code: 'unavailable', retryAfter: 3 });
    const nonsense = setUp(() => new Response('<html>'));
    expect(await errorOf(nonsense.api.hallway())).toMatchObject({ reason: 'bad_response' });
    const dead = setUp(() => Promise.reject(new TypeError('failed')));
    expect(await errorOf(dead.api.hallway())).toMatchObject({
      code: 'unavailable',
      reason: 'network',
    });
  });

  it('forgets a session that the server does not know, and only then', async () => {
    const revoked = setUp(() => failure('unauthenticated', 'session.invalid', 401));
    revoked.session.save(kSession);
    await errorOf(revoked.api.hallway());
    expect(revoked.session.load()).toBeNull();
    for (const [code, reason, status] of [
      ['unauthenticated', 'account.wrong_password', 401],
      ['unauthenticated', 'join.invalid', 401],
      ['permission_denied', 'room.locked', 403],
      ['unavailable', '', 503],
    ] as const) {
      const { api, session } = setUp(() => failure(code, reason, status));
      session.save(kSession);
      await errorOf(api.logIn({ username: 'ada', password: 'x' }));
      expect(session.load()).toEqual(kSession);
    }
  });

  it('logs out here even where the server cannot be told', async () => {
    const { api, session } = setUp(() => Promise.reject(new TypeError('failed')));
    session.save(kSession);
    await errorOf(api.logOut());
    expect(session.load()).toBeNull();
  });
});

describe('the stored session', () => {
  it('is read back, and nonsense is not', () => {
    expect(parseSession(JSON.stringify(kSession))).toEqual(kSession);
    const bad = ['', 'null', '3', '{}', '{"token":""}', JSON.stringify({ ...kSession, guest: 1 })];
    for (const text of bad) expect(parseSession(text)).toBeNull();
  });

  it('lives in memory where storage is refused', () => {
    const refusing = {
      getItem: () => {
        throw new Error('refused');
      },
      setItem: () => {
        throw new Error('refused');
      },
      removeItem: () => {
        throw new Error('refused');
      },
    } as unknown as Storage;
    for (const area of [refusing, null]) {
      const storage = new WebSessionStorage(area);
      expect(storage.load()).toBeNull();
      storage.save(kSession);
      expect(storage.load()).toEqual(kSession);
      storage.clear();
      expect(storage.load()).toBeNull();
    }
  });
});
