// A small server for looking at the pages: the app's files and the API's answers, without a memory.
import { create, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import {
  ListFollowsResponseSchema,
  ListSessionsResponseSchema,
  SessionResponseSchema,
} from '../../sdk/src/gen/alcove/v1/accounts_pb';
import { ErrorResponseSchema, ServerConfigSchema } from '../../sdk/src/gen/alcove/v1/common_pb';
import {
  SignedManifestSchema,
  TransparencyPageSchema,
} from '../../sdk/src/gen/alcove/v1/manifest_pb';
import {
  HallwayResponseSchema,
  JoinRoomResponseSchema,
  RoomStateSchema,
  RoomSummarySchema,
} from '../../sdk/src/gen/alcove/v1/rooms_pb';
import { Promises } from './promises';

const kPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self'; worker-src 'self'; manifest-src 'self'; media-src 'self' blob:; " +
  "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const kTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

export interface MockOptions {
  /** The server's promises; what every server of these tests shows where it is not said. */
  promises?: Promises;
  /** What is said of the offer to people from here. */
  /** What a join gets for its offer. */
  sdpAnswer?: string;
  notice?: { textEn: string; textFr: string };
  denied?: { textEn: string; textFr: string };

  dist: string;
  /** What the page of a link tells of. */
  room: () => MessageInitShape<typeof RoomStateSchema>;
  hallway: MessageInitShape<typeof HallwayResponseSchema>;
}

export interface Mock {
  origin: string;
  close(): void;
}

export async function startMock(options: MockOptions): Promise<Mock> {
  const server: Server = createServer((request, response) => {
    if (/^\/(v1|\.well-known)\//.test(request.url ?? '')) answerApi(request, response);
    else sendFile(options.dist, request.url ?? '/', response);
  });

  const promises = options.promises ?? new Promises();
  const genesis = await promises.genesis();

  function answerApi(request: IncomingMessage, response: ServerResponse) {
    const path = new URL(request.url ?? '', 'http://localhost').pathname;
    const call = `${request.method ?? ''} ${path.replace(/\/rooms\/[^/]+/, '/rooms/*')}`;
    const account = { accountId: 'a', username: 'ada', displayName: 'Ada Lovelace', guest: false };
    if (options.denied !== undefined) {
      const body = { code: 'permission_denied', reason: 'offer.denied', ...options.denied };
      return send(response, ErrorResponseSchema, body, 451);
    }
    const far = BigInt(Date.now() + 1e10);
    switch (call) {
      case 'GET /.well-known/alcove/manifest':
        if (promises.away) return send(response, ErrorResponseSchema, { code: 'unavailable' }, 503);
        return send(response, SignedManifestSchema, promises.manifest);
      case 'GET /.well-known/alcove/log':
        return send(response, TransparencyPageSchema, promises.page(fromOf(request)));
      case 'GET /v1/config':
        return send(response, ServerConfigSchema, {
          version: '0.1.0',
          registration: 1,
          guestsAllowed: true,
          slots: 4,
          packetBucket: 160,
          mediaPort: 7878,
          ...(options.notice === undefined ? {} : { offerNotice: options.notice }),
        });
      case 'POST /v1/accounts':
      case 'POST /v1/sessions':
        return send(response, SessionResponseSchema, { account, token: 't', expiresAtMs: far });
      case 'GET /v1/sessions':
        return send(response, ListSessionsResponseSchema, {
          sessions: [
            {
              sessionId: '1',
              deviceName: 'Firefox on Linux',
              lastUsedAtMs: BigInt(Date.UTC(2026, 10, 24, 9, 30)),
              current: true,
            },
            {
              sessionId: '2',
              deviceName: 'Safari on iOS',
              lastUsedAtMs: BigInt(Date.UTC(2026, 10, 20, 19, 5)),
            },
          ],
        });
      case 'GET /v1/follows':
        return send(response, ListFollowsResponseSchema, {});
      case 'GET /v1/hallway':
        return send(response, HallwayResponseSchema, options.hallway);
      case 'GET /v1/rooms/*': {
        if (path.endsWith('/gone')) {
          return send(response, ErrorResponseSchema, { code: 'not_found' }, 404);
        }
        const room = create(RoomStateSchema, options.room());
        return send(response, RoomSummarySchema, {
          roomId: room.roomId,
          title: room.title,
          kind: room.kind,
          memberCount: room.stage.length + room.audienceCount,
          stageNames: room.stage.map((member) => member.displayName).slice(0, 6),
          locked: room.locked,
          genesis,
        });
      }
      case 'POST /v1/rooms/*/join': {
        const { sdpAnswer } = options;
        if (sdpAnswer === undefined) break;
        return send(response, JoinRoomResponseSchema, { joinToken: 'j', sdpAnswer });
      }
    }
    send(response, ErrorResponseSchema, { code: 'not_found' }, 404);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    origin: `http://localhost:${String(port)}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function fromOf(request: IncomingMessage): number {
  return Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('from'));
}

function send<Schema extends DescMessage>(
  response: ServerResponse,
  schema: Schema,
  init: MessageInitShape<Schema>,
  status = 200,
) {
  response.writeHead(status, { 'Content-Type': 'application/protobuf' });
  response.end(toBinary(schema, create(schema, init)));
}

function sendFile(dist: string, url: string, response: ServerResponse) {
  const path = new URL(url, 'http://localhost').pathname;
  let file = join(dist, path);
  if (!file.startsWith(dist) || !extname(path)) file = join(dist, 'index.html');
  try {
    statSync(file);
    response.writeHead(200, {
      'Content-Type': kTypes[extname(file)] ?? 'application/octet-stream',
      'Content-Security-Policy': kPolicy,
      'Referrer-Policy': 'no-referrer',
    });
    response.end(readFileSync(file));
  } catch {
    response.writeHead(404).end();
  }
}
