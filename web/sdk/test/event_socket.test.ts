import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from '../src/backoff';
import { EventSocket, eventsUrl } from '../src/events/event_socket';
import type { SocketLike } from '../src/events/event_socket';
import { ClientMessageSchema, ServerMessageSchema } from '../src/gen/alcove/v1/events_pb';
import { KeysFromClientSchema, KeysFromServerSchema } from '../src/gen/alcove/v1/keys_pb';
import type { ClientMessage, ServerMessage } from '../src/gen/alcove/v1/events_pb';

class FakeSocket implements SocketLike {
  binaryType = '';
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  sent: ClientMessage[] = [];
  sizes: number[] = [];
  closed = false;

  send(data: Uint8Array<ArrayBuffer>): void {
    this.sizes.push(data.length);
    this.sent.push(fromBinary(ClientMessageSchema, data));
  }
  close(): void {
    this.closed = true;
    this.readyState = 3;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  say(message: MessageInitShape<typeof ServerMessageSchema>['message']): void {
    const init = create(ServerMessageSchema, { message } as never);
    this.onmessage?.({ data: toBinary(ServerMessageSchema, init).slice().buffer });
  }
  lose(): void {
    this.readyState = 3;
    this.onclose?.();
  }
  get last(): ClientMessage['message'] | undefined {
    return this.sent[this.sent.length - 1]?.message;
  }
}

const sockets: FakeSocket[] = [];
const messages: ServerMessage[] = [];
const live: boolean[] = [];
const keys: Uint8Array[] = [];
const hellos: boolean[] = [];
const goodbyes: string[] = [];
let events: EventSocket;

function current(): FakeSocket {
  const socket = sockets[sockets.length - 1];
  if (socket === undefined) throw new Error('no socket yet');
  return socket;
}

function welcome(): void {
  current().open();
  current().say({ case: 'welcome', value: { room: { roomId: 'r' } } });
}

beforeEach(() => {
  vi.useFakeTimers();
  sockets.length = messages.length = live.length = goodbyes.length = 0;
  keys.length = hellos.length = 0;
  events = new EventSocket({
    url: 'ws://x/v1/events',
    joinToken: 'token',
    onMessage: (message) => messages.push(message),
    onKeys: (message) => keys.push(message),
    onHello: () => hellos.push(true),
    onLost: () => hellos.push(false),
    onLive: (value) => live.push(value),
    onGoodbye: ({ reason }) => goodbyes.push(reason?.reason ?? ''),
    backoff: new Backoff(250, 8000, () => 1),
    createSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
  });
});

afterEach(() => {
  events.close();
  vi.useRealTimers();
});

describe('EventSocket', () => {
  it('says hello with the join token, in padded messages', () => {
    welcome();
    expect(current().sent[0]?.message).toMatchObject({
      case: 'hello',
      value: { joinToken: 'token' },
    });
    expect(current().sizes).toEqual([256]);
    expect(live).toEqual([true]);
    expect(messages).toHaveLength(1);
  });

  it('waits to be let in as long as it takes, and hears of keys meanwhile', () => {
    current().open();
    current().say({ case: 'keys', value: { message: { case: 'waiting', value: { reason: 1 } } } });
    vi.advanceTimersByTime(10_000);
    expect(sockets).toHaveLength(1);
    expect(live).toEqual([]);
    expect(keys.map((bytes) => fromBinary(KeysFromServerSchema, bytes).message.case)).toEqual([
      'waiting',
    ]);
  });

  it('sends messages of keys up to the size that the server takes', () => {
    const message = create(KeysFromClientSchema, {
      message: { case: 'box', value: { leaf: new Uint8Array(32), box: new Uint8Array(900_000) } },
    });
    const bytes = toBinary(KeysFromClientSchema, message);
    expect(events.sendKeys(bytes)).toBe(false);
    current().open();
    expect(events.sendKeys(bytes)).toBe(true);
    const sent = current().last;
    if (sent?.case !== 'keys') throw new Error('not keys');
    expect(toBinary(KeysFromClientSchema, sent.value).length).toBe(bytes.length);
    expect((current().sizes.at(-1) ?? 1) % 64).toBe(0);
    expect(events.sendKeys(new Uint8Array((1 << 20) + 1))).toBe(false);
    current().lose();
    expect(hellos).toEqual([true, false]);
  });

  it('comes back with growing pauses, and from the start again after a welcome', () => {
    welcome();
    current().lose();
    expect(live).toEqual([true, false]);
    vi.advanceTimersByTime(250);
    expect(sockets).toHaveLength(2);
    current().lose();
    vi.advanceTimersByTime(499);
    expect(sockets).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(sockets).toHaveLength(3);
    welcome();
    current().lose();
    vi.advanceTimersByTime(250);
    expect(sockets).toHaveLength(4);
  });

  it('gives up a connection that brings no welcome', () => {
    current().open();
    vi.advanceTimersByTime(4000);
    expect(current().closed).toBe(true);
    vi.advanceTimersByTime(250);
    expect(sockets).toHaveLength(2);
  });

  it('pings, and tells whether the answer came in time', async () => {
    welcome();
    const answered = events.ping(700);
    const ping = current().last;
    if (ping?.case !== 'ping') throw new Error('no ping');
    current().say({ case: 'pong', value: { nonce: ping.value.nonce } });
    expect(await answered).toBe(true);
    const silent = events.ping(700);
    current().say({ case: 'pong', value: { nonce: 99n } });
    vi.advanceTimersByTime(700);
    expect(await silent).toBe(false);
  });

  it('finds a hanging connection by its keep-alive', async () => {
    welcome();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(current().last?.case).toBe('ping');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(live).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(250);
    expect(sockets).toHaveLength(2);
  });

  it('connects anew at once after a change of the network', () => {
    welcome();
    const old = current();
    events.restart();
    expect(old.closed).toBe(true);
    expect(sockets).toHaveLength(2);
    old.say({ case: 'welcome', value: {} });
    expect(messages).toHaveLength(1);
  });

  it('does not come back after a goodbye', () => {
    welcome();
    current().say({ case: 'goodbye', value: { reason: { reason: 'join.replaced' } } });
    expect(goodbyes).toEqual(['join.replaced']);
    expect(events.closed).toBe(true);
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });

  it('takes no notice of what is no message of ours', () => {
    welcome();
    for (const data of ['text', null, new ArrayBuffer(2 << 20), Uint8Array.of(0xff, 1).buffer]) {
      current().onmessage?.({ data });
    }
    current().onmessage?.({ data: new ArrayBuffer(0) });
    expect(messages).toHaveLength(1);
    expect(events.live).toBe(true);
  });
});

describe('eventsUrl', () => {
  it('is beside the page, and at no other origin', () => {
    expect(eventsUrl('', 'http://localhost:8080/r/x#y')).toBe('ws://localhost:8080/v1/events');
    expect(eventsUrl('https://a.example', 'https://a.example/r/x')).toBe(
      'wss://a.example/v1/events',
    );
    expect(() => eventsUrl('https://a.example', 'http://b/')).toThrow('a.example');
  });
});
