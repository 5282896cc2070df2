import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Backoff } from '../backoff';
import { ClientMessageSchema, ServerMessageSchema } from '../gen/alcove/v1/events_pb';
import type { ClientMessage, Goodbye, ServerMessage } from '../gen/alcove/v1/events_pb';
import { KeysFromServerSchema } from '../gen/alcove/v1/keys_pb';
import { openSocket, socketUrl } from '../egress/requests';
import { kKeysMessageStep, padMessage } from './padding';

/** The part of WebSocket that is used; tests bring their own. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  onerror: (() => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export interface EventSocketOptions {
  url: string;
  joinToken: string;
  onMessage(message: ServerMessage): void;
  /** A KeysFromServer, as bytes: the worker reads it. */
  onKeys(message: Uint8Array): void;
  /** Hello was said: from here on messages of keys can be sent, until onLost. */
  onHello(): void;
  /** The connection of the last onHello is gone. */
  onLost(): void;
  /** False from the moment the connection is lost until the next Welcome. */
  onLive(live: boolean): void;
  /** The server ended it for good; it is not connected to again. */
  onGoodbye(goodbye: Goodbye): void;
  createSocket?: (url: string) => SocketLike;
  backoff?: Backoff;
}

const kOpen = 1;
const kKeepAliveMs = 15_000;
const kPongTimeoutMs = 5_000;
/** No Welcome by then: the server does not speak our protocol, or the connection hangs. */
const kWelcomeTimeoutMs = 4_000;
/** A long room's chain and its rosters are the largest: more is not parsed. */
const kMaxMessageSize = 1 << 23;
/** `keys = 4` of ClientMessage, wire type 2. */
const kKeysTag = 0x22;
/** The server takes no larger ones. */
const kMaxKeysSize = 1 << 20;

/**
 * The WebSocket of one join. Says Hello, keeps alive, comes back by itself with growing pauses. What the
 * messages mean is the listener's business.
 */
export class EventSocket {
  readonly #backoff: Backoff;
  #socket: SocketLike | null = null;
  #live = false;
  #saidHello = false;
  /** The server has answered on this connection, be it only that one has to wait. */
  #answered = false;
  #closed = false;
  /** Any connection ever stood. */
  everOpened = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #welcomeTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #keepAlive: ReturnType<typeof setInterval>;
  #nonce = 0n;
  readonly #pings = new Map<bigint, (answered: boolean) => void>();

  constructor(private readonly options: EventSocketOptions) {
    this.#backoff = options.backoff ?? new Backoff(250, 8_000);
    this.#connect();
    this.#keepAlive = setInterval(() => {
      void this.#checkAlive();
    }, kKeepAliveMs);
  }

  get live(): boolean {
    return this.#live;
  }

  /** True after close() or the server's goodbye. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Asks for the whole state after a gap. */
  resync(): void {
    this.#send({ case: 'resync', value: {} });
  }

  /** A KeysFromClient, encoded. False where it could not be sent: not connected, or too large. */
  sendKeys(message: Uint8Array): boolean {
    if (!this.#saidHello || this.#socket?.readyState !== kOpen) return false;
    if (message.length > kMaxKeysSize) return false;
    const length = varint(message.length);
    const whole = new Uint8Array(1 + length.length + message.length);
    whole[0] = kKeysTag;
    whole.set(length, 1);
    whole.set(message, 1 + length.length);
    this.#socket.send(padMessage(whole, kKeysMessageStep));
    return true;
  }

  /** True where the server answers within the time. */
  ping(timeoutMs: number): Promise<boolean> {
    if (!this.#answered) return Promise.resolve(false);
    this.#nonce += 1n;
    const nonce = this.#nonce;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        settle(false);
      }, timeoutMs);
      const settle = (answered: boolean) => {
        clearTimeout(timer);
        this.#pings.delete(nonce);
        resolve(answered);
      };
      this.#pings.set(nonce, settle);
      this.#send({ case: 'ping', value: { nonce } });
    });
  }

  /** Connects anew at once: the network changed, and the old connection may hang without a word. */
  restart(): void {
    if (this.#closed) return;
    this.#backoff.reset();
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#keepAlive);
    clearTimeout(this.#retry);
    this.#drop();
  }

  #connect(): void {
    clearTimeout(this.#retry);
    this.#drop();
    let socket: SocketLike;
    try {
      socket = (this.options.createSocket ?? browserSocket)(this.options.url);
    } catch {
      this.#retryLater();
      return;
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.everOpened = true;
      this.#send({ case: 'hello', value: { joinToken: this.options.joinToken } });
      this.#saidHello = true;
      this.options.onHello();
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#receive(data);
    };
    socket.onerror = null;
    socket.onclose = () => {
      if (socket !== this.#socket) return;
      this.#drop();
      this.#retryLater();
    };
    this.#welcomeTimer = setTimeout(() => {
      this.#connectionHangs(socket);
    }, kWelcomeTimeoutMs);
  }

  #connectionHangs(socket: SocketLike): void {
    if (socket !== this.#socket || this.#closed) return;
    this.#drop();
    this.#retryLater();
  }

  #receive(data: unknown): void {
    if (!(data instanceof ArrayBuffer) || data.byteLength > kMaxMessageSize) return;
    let message: ServerMessage;
    try {
      message = fromBinary(ServerMessageSchema, new Uint8Array(data));
    } catch {
      return;
    }
    this.#answered = true;
    switch (message.message.case) {
      case 'keys':
        // Who waits to be admitted gets no Welcome yet.
        clearTimeout(this.#welcomeTimer);
        this.options.onKeys(toBinary(KeysFromServerSchema, message.message.value).slice());
        return;
      case 'pong':
        this.#pings.get(message.message.value.nonce)?.(true);
        return;
      case 'goodbye':
        this.close();
        this.options.onGoodbye(message.message.value);
        return;
      case 'welcome':
        clearTimeout(this.#welcomeTimer);
        this.#backoff.reset();
        this.options.onMessage(message);
        this.#setLive(true);
        return;
      case 'batch':
        this.options.onMessage(message);
        return;
      case undefined:
        return;
    }
  }

  /** Forgets the socket; what it still says is not heard. */
  #drop(): void {
    clearTimeout(this.#welcomeTimer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) {
      socket.onopen = null;
      socket.onmessage = null;
      socket.onclose = null;
      try {
        socket.close();
      } catch {
        // Already closed.
      }
    }
    for (const settle of [...this.#pings.values()]) settle(false);
    this.#answered = false;
    if (this.#saidHello) {
      this.#saidHello = false;
      this.options.onLost();
    }
    this.#setLive(false);
  }

  #retryLater(): void {
    if (this.#closed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#connect();
    }, this.#backoff.nextDelayMs());
  }

  async #checkAlive(): Promise<void> {
    if (!this.#answered) return;
    const socket = this.#socket;
    if ((await this.ping(kPongTimeoutMs)) || socket === null) return;
    this.#connectionHangs(socket);
  }

  #setLive(live: boolean): void {
    if (this.#live === live) return;
    this.#live = live;
    if (!this.#closed) this.options.onLive(live);
  }

  #send(message: MessageOf): void {
    if (this.#socket?.readyState !== kOpen) return;
    const init = create(ClientMessageSchema, { message } as { message: ClientMessage['message'] });
    this.#socket.send(padMessage(toBinary(ClientMessageSchema, init)));
  }
}

type MessageOf =
  | { case: 'hello'; value: { joinToken: string } }
  | { case: 'ping'; value: { nonce: bigint } }
  | { case: 'resync'; value: Record<string, never> };

/** Protobuf's, of a number below 2^28. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Uint8Array.of(...bytes, rest);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function browserSocket(url: string): SocketLike {
  return openSocket(url) as unknown as SocketLike;
}

/** The WebSocket beside an HTTP base; empty for the page's own origin. */
export function eventsUrl(baseUrl: string, pageUrl: string): string {
  return socketUrl(new URL('/v1/events', baseUrl === '' ? pageUrl : baseUrl).href, pageUrl);
}
