import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { readBody, request } from './egress/requests';
import { AlcoveError, errorFromBody } from './errors';
import {
  EmptySchema,
  FollowResponseSchema,
  ListFollowsResponseSchema,
  ListSessionsResponseSchema,
  LogInRequestSchema,
  MeResponseSchema,
  RegisterRequestSchema,
  SessionResponseSchema,
} from './gen/alcove/v1/accounts_pb';
import type {
  FollowResponse,
  ListFollowsResponse,
  ListSessionsResponse,
  MeResponse,
  SessionResponse,
} from './gen/alcove/v1/accounts_pb';
import { ServerConfigSchema } from './gen/alcove/v1/common_pb';
import { JoinKeysSchema, LogChainSchema, SignedObjectSchema } from './gen/alcove/v1/keys_pb';
import type { LogChain } from './gen/alcove/v1/keys_pb';
import type { ServerConfig } from './gen/alcove/v1/common_pb';
import { SignedManifestSchema, TransparencyPageSchema } from './gen/alcove/v1/manifest_pb';
import type { SignedManifest, TransparencyPage } from './gen/alcove/v1/manifest_pb';
import {
  HallwayResponseSchema,
  JoinRoomRequestSchema,
  JoinRoomResponseSchema,
  ListMembersResponseSchema,
  RestartRequestSchema,
  RestartResponseSchema,
  RoomCommandResponseSchema,
  RoomCommandSchema,
  RoomSummarySchema,
  StartRoomRequestSchema,
  StartRoomResponseSchema,
} from './gen/alcove/v1/rooms_pb';
import type {
  HallwayResponse,
  JoinRoomResponse,
  ListMembersResponse,
  RestartResponse,
  RoomCommandResponse,
  RoomSummary,
  StartRoomResponse,
} from './gen/alcove/v1/rooms_pb';
import type { SessionStorage, StoredSession } from './session';

const kMediaType = 'application/protobuf';
const kTimeoutMs = 10_000;
/** A larger answer is not read to its end. */
const kMaxBody = 1 << 25;
/** Of a manifest or a page of the log. */
const kMaxPublicBody = 1 << 21;

/** A command as it is written: `{ case: 'raiseHand', value: {} }`. */
export type CommandInit = NonNullable<MessageInitShape<typeof RoomCommandSchema>['command']>;

export interface ApiOptions {
  /** Origin and prefix of the server, without a slash at the end; empty for the page's own origin. */
  baseUrl?: string;
  session: SessionStorage;
  /** For tests and hosts without a page; in a page every request goes through ./egress. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Sees each failure that a server answered with, before the caller does. */
  onError?: (error: AlcoveError) => void;
}

interface Call<Response extends DescMessage> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: Uint8Array;
  headers?: Record<string, string>;
  response: Response;
  /** Keeps a request alive while the page goes away (leave quietly). */
  keepalive?: boolean;
  /** Ends the request, and the connection that it waits on; in place of the usual time limit. */
  signal?: AbortSignal;
  /** The same for everybody: no token goes with it, and it is small. */
  isPublic?: boolean;
}

/**
 * Alcove's HTTP API in binary protobuf. Every failure is an AlcoveError. A session that comes back from
 * register, log in or a guest's join is stored; one that the server no longer knows is cleared.
 */
export class ApiClient {
  readonly #baseUrl: string;
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly #onError: (error: AlcoveError) => void;
  readonly session: SessionStorage;

  constructor(options: ApiOptions) {
    this.#baseUrl = options.baseUrl ?? '';
    this.#fetch = options.fetch ?? request;
    this.#onError = options.onError ?? (() => undefined);
    this.session = options.session;
  }

  config(): Promise<ServerConfig> {
    return this.#call({ method: 'GET', path: '/v1/config', response: ServerConfigSchema });
  }

  manifest(): Promise<SignedManifest> {
    const path = '/.well-known/alcove/manifest';
    return this.#call({ method: 'GET', path, response: SignedManifestSchema, isPublic: true });
  }

  /** Entries of the log of the server's changes from number `from` on. */
  transparencyLog(from: number): Promise<TransparencyPage> {
    const path = `/.well-known/alcove/log?from=${String(from)}`;
    return this.#call({ method: 'GET', path, response: TransparencyPageSchema, isPublic: true });
  }

  async register(
    request: MessageInitShape<typeof RegisterRequestSchema>,
  ): Promise<SessionResponse> {
    const body = encode(RegisterRequestSchema, request);
    return this.#signIn('/v1/accounts', body);
  }

  async logIn(request: MessageInitShape<typeof LogInRequestSchema>): Promise<SessionResponse> {
    return this.#signIn('/v1/sessions', encode(LogInRequestSchema, request));
  }

  /** Forgets the session here in any case; the server hears of it where it can be reached. */
  async logOut(): Promise<void> {
    try {
      await this.revokeSession('current');
    } finally {
      this.session.clear();
    }
  }

  me(): Promise<MeResponse> {
    return this.#call({ method: 'GET', path: '/v1/me', response: MeResponseSchema });
  }

  listSessions(): Promise<ListSessionsResponse> {
    return this.#call({
      method: 'GET',
      path: '/v1/sessions',
      response: ListSessionsResponseSchema,
    });
  }

  async revokeSession(sessionId: string): Promise<void> {
    const path = `/v1/sessions/${encodeURIComponent(sessionId)}`;
    await this.#call({ method: 'DELETE', path, response: EmptySchema });
  }

  follow(username: string, following: boolean): Promise<FollowResponse> {
    return this.#call({
      method: following ? 'PUT' : 'DELETE',
      path: `/v1/follows/${encodeURIComponent(username)}`,
      response: FollowResponseSchema,
    });
  }

  listFollows(): Promise<ListFollowsResponse> {
    return this.#call({ method: 'GET', path: '/v1/follows', response: ListFollowsResponseSchema });
  }

  hallway(): Promise<HallwayResponse> {
    return this.#call({ method: 'GET', path: '/v1/hallway', response: HallwayResponseSchema });
  }

  /** `genesis`: a SignedObject; startRoom() of this package makes one. */
  async startRoom(title: string, genesis: Uint8Array): Promise<StartRoomResponse> {
    const object = fromBinary(SignedObjectSchema, genesis);
    return this.#call({
      method: 'POST',
      path: '/v1/rooms',
      body: encode(StartRoomRequestSchema, { title, genesis: object }),
      response: StartRoomResponseSchema,
    });
  }

  room(roomId: string): Promise<RoomSummary> {
    return this.#call({ method: 'GET', path: roomPath(roomId), response: RoomSummarySchema });
  }

  /** What a room's log begins with, for whoever wants to check it without joining. */
  log(roomId: string): Promise<LogChain> {
    const path = `${roomPath(roomId)}/log`;
    return this.#call({ method: 'GET', path, response: LogChainSchema });
  }

  /** `joinKeys`: encoded, as the worker made them. */
  async join(
    roomId: string,
    sdpOffer: string,
    guestName: string,
    joinKeys: Uint8Array,
  ): Promise<JoinRoomResponse> {
    const keys = fromBinary(JoinKeysSchema, joinKeys);
    const response = await this.#call({
      method: 'POST',
      path: `${roomPath(roomId)}/join`,
      body: encode(JoinRoomRequestSchema, { sdpOffer, guestName, keys }),
      response: JoinRoomResponseSchema,
    });
    if (response.guestSession !== undefined) this.#store(response.guestSession);
    return response;
  }

  restart(
    roomId: string,
    joinToken: string,
    sdpOffer: string,
    signal: AbortSignal,
  ): Promise<RestartResponse> {
    return this.#call({
      method: 'POST',
      path: `${roomPath(roomId)}/restart`,
      body: encode(RestartRequestSchema, { joinToken, sdpOffer }),
      response: RestartResponseSchema,
      signal,
    });
  }

  command(
    roomId: string,
    joinToken: string,
    command: CommandInit,
    keepalive = false,
  ): Promise<RoomCommandResponse> {
    return this.#call({
      method: 'POST',
      path: `${roomPath(roomId)}/commands`,
      body: toBinary(RoomCommandSchema, create(RoomCommandSchema, { joinToken, command })),
      response: RoomCommandResponseSchema,
      keepalive,
    });
  }

  members(roomId: string, joinToken: string, cursor: string): Promise<ListMembersResponse> {
    const query = cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    return this.#call({
      method: 'GET',
      path: `${roomPath(roomId)}/members${query}`,
      headers: { 'Alcove-Join': joinToken },
      response: ListMembersResponseSchema,
    });
  }

  async #signIn(path: string, body: Uint8Array): Promise<SessionResponse> {
    const response = await this.#call({
      method: 'POST',
      path,
      body,
      response: SessionResponseSchema,
    });
    this.#store(response);
    return response;
  }

  #store(response: SessionResponse): void {
    const session = storedSession(response);
    if (session !== null) this.session.save(session);
  }

  async #call<Response extends DescMessage>(call: Call<Response>): Promise<MessageShape<Response>> {
    const session = call.isPublic === true ? null : this.session.load();
    const headers: Record<string, string> = { Accept: kMediaType, ...call.headers };
    if (call.body !== undefined) headers['Content-Type'] = kMediaType;
    if (session !== null) headers['Authorization'] = `Bearer ${session.token}`;
    const { status, retryAfter, bytes } = await this.#send(call, headers);
    if (status < 200 || status >= 300) {
      const error = errorFromBody(bytes, status, retryAfter);
      // The token that we sent is not valid any more: revoked, expired or of another server.
      const sameSession = this.session.load()?.token === session?.token;
      if (session !== null && sameSession && isDeadSession(error)) this.session.clear();
      this.#onError(error);
      throw error;
    }
    try {
      return fromBinary(call.response, bytes);
    } catch {
      throw new AlcoveError('internal', 'bad_response', 'The answer could not be read', 0, status);
    }
  }

  async #send(call: Call<DescMessage>, headers: Record<string, string>) {
    try {
      const response = await this.#fetch(this.#baseUrl + call.path, {
        method: call.method,
        headers,
        ...(call.body === undefined ? {} : { body: call.body as BodyInit }),
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        keepalive: call.keepalive ?? false,
        signal: call.signal ?? AbortSignal.timeout(kTimeoutMs),
      });
      const max = call.isPublic === true ? kMaxPublicBody : kMaxBody;
      const bytes = await readBody(response, max);
      if (bytes === null) throw new Error('The answer is too large');
      return { status: response.status, retryAfter: response.headers.get('Retry-After'), bytes };
    } catch (thrown) {
      if (thrown instanceof AlcoveError) throw thrown;
      const message = thrown instanceof Error ? thrown.message : 'The server cannot be reached';
      throw new AlcoveError('unavailable', 'network', message);
    }
  }
}

/** A wrong password and a join that is over are "unauthenticated" too, and say nothing of the session. */
function isDeadSession(error: AlcoveError): boolean {
  return error.code === 'unauthenticated' && error.reason.startsWith('session.');
}

function roomPath(roomId: string): string {
  return `/v1/rooms/${encodeURIComponent(roomId)}`;
}

function encode<Schema extends DescMessage>(
  schema: Schema,
  init: MessageInitShape<Schema>,
): Uint8Array {
  return toBinary(schema, create(schema, init));
}

export function storedSession(response: SessionResponse): StoredSession | null {
  const { account, token } = response;
  if (account === undefined || token === '') return null;
  return {
    token,
    accountId: account.accountId,
    username: account.username,
    displayName: account.displayName,
    guest: account.guest,
    expiresAtMs: Number(response.expiresAtMs),
  };
}
