// What of a visit is forgotten when it ends, and what is kept for coming back.

import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AlcoveError } from '../src/errors';
import { ServerMessageSchema } from '../src/gen/alcove/v1/events_pb';
import { Writable } from '../src/observable';
import { linkFragmentText } from '../src/keys/link';
import type { KeysToWorker } from '../src/keys/messages';
import { keepLinkFragment, linkFragment } from '../src/room/link_fragment';
import { RoomClient } from '../src/room/room_client';
import type { LinkHost, RoomClientOptions } from '../src/room/link_types';

const { links } = vi.hoisted(() => ({ links: [] as LinkHost[] }));
vi.mock('../src/room/room_link', () => ({
  RoomLink: class {
    joinToken = 'token';
    connection = null;
    watch = { levels: new Writable(new Map()), heard: () => undefined };
    constructor(_options: unknown, _transforms: unknown, host: LinkHost) {
      links.push(host);
    }
    join(): Promise<void> {
      links.at(-1)?.onJoined();
      return Promise.resolve();
    }
    close(): void {
      // Nothing is open.
    }
  },
}));

class FakeWorker {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  readonly posted: { type: string; name?: unknown; request?: number }[] = [];
  terminated = false;
  postMessage(message: KeysToWorker): void {
    this.posted.push(message);
  }
  terminate(): void {
    this.terminated = true;
  }
  /** Answers what was asked last. */
  done(): void {
    const request = this.posted.findLast((message) => message.request !== undefined)?.request;
    this.onmessage?.({ data: { type: 'keys-answer', request, answer: { kind: 'done' } } });
  }
}

const fragment = linkFragmentText({
  fingerprint: new Uint8Array(32).fill(1),
  secret: new Uint8Array(16).fill(2),
});
let worker: FakeWorker;
let client: RoomClient;

beforeEach(async () => {
  links.length = 0;
  worker = new FakeWorker();
  keepLinkFragment('dusk', fragment);
  client = new RoomClient({
    api: { session: { load: () => null }, command: () => Promise.resolve({}) },
    roomId: 'dusk',
    createWorker: () => worker,
  } as unknown as RoomClientOptions);
  await client.join('Fay');
});
afterEach(() => {
  vi.useRealTimers();
});

const forgotten = () => worker.posted.filter(({ type }) => type === 'keys-forget').length;

function welcome(): void {
  const room = { roomId: 'dusk', title: 'Dusk', revision: 1n };
  const message = { case: 'welcome' as const, value: { room } };
  links[0]?.onMessage(create(ServerMessageSchema, { message }));
}

it('a visit that ends in the room is forgotten: identity and link', () => {
  for (const end of ['ended', 'removed'] as const) {
    keepLinkFragment('dusk', fragment);
    const before = forgotten();
    client = new RoomClient({
      api: { session: { load: () => null } },
      roomId: 'dusk',
      createWorker: () => worker,
    } as unknown as RoomClientOptions);
    links.at(-1)?.onOver(end);
    expect(client.view.value.phase).toBe(end);
    expect(forgotten()).toBe(before + 1);
    expect(linkFragment('dusk')).toBeNull();
  }
});

it('who leaves forgets once, also when the page goes away afterwards', async () => {
  welcome();
  await client.leave();
  client.close();
  expect(forgotten()).toBe(1);
  expect(linkFragment('dusk')).toBeNull();
});

it('who stops waiting keeps the link: the visit is not over', async () => {
  await client.leave();
  expect(client.view.value.phase).toBe('left');
  client.close();
  expect(forgotten()).toBe(0);
  expect(linkFragment('dusk')).not.toBeNull();
});

it('a page that goes away while in the room forgets, and its worker lives until that is done', async () => {
  welcome();
  client.close();
  expect(forgotten()).toBe(1);
  expect(linkFragment('dusk')).toBeNull();
  await Promise.resolve();
  expect(worker.terminated).toBe(false);
  worker.done();
  await vi.waitFor(() => {
    expect(worker.terminated).toBe(true);
  });
});

it('who has not come in, was replaced elsewhere, or failed, keeps what coming back needs', async () => {
  links[0]?.onOver('replaced');
  expect(client.view.value.phase).toBe('removed');
  client.close();
  await vi.waitFor(() => {
    expect(worker.terminated).toBe(true);
  });
  for (const end of [
    () => links.at(-1)?.onOver(new AlcoveError('unavailable', 'network', 'away')),
    () => undefined,
  ]) {
    client = new RoomClient({
      api: { session: { load: () => null } },
      roomId: 'dusk',
      createWorker: () => worker,
    } as unknown as RoomClientOptions);
    await client.join('Fay');
    end();
    client.close();
  }
  expect(forgotten()).toBe(0);
  expect(linkFragment('dusk')).not.toBeNull();
});
