// The keeper of bench/room_keys_chromium.mjs, in a worker of Chromium: RoomKeys as the web client runs it, against a
// house that orders what it writes. Joiners are certificates with real keys; one of fifty is a whole member.
import { create, toBinary } from '@bufbuild/protobuf';
import { RoomKind } from '../web/sdk/src/gen/alcove/v1/common_pb';
import { GenesisSchema, KeysFromClientSchema, KeysFromServerSchema, Waiting_Reason } from '../web/sdk/src/gen/alcove/v1/keys_pb';
import type { AppendEntry, SignedObject } from '../web/sdk/src/gen/alcove/v1/keys_pb';
import { ed25519PublicKey, ed25519Sign } from '../web/sdk/src/keys/crypto';
import { LogState } from '../web/sdk/src/keys/log_state';
import { isAuthority, isShort } from '../web/sdk/src/keys/log_types';
import { hasAdvance, makeGenesis, parseEntry } from '../web/sdk/src/keys/objects';
import type { Entry, Genesis } from '../web/sdk/src/keys/objects';
import { makeOwnLeaf } from '../web/sdk/src/keys/own_leaf';
import type { OwnLeaf } from '../web/sdk/src/keys/own_leaf';
import { RoomKeys } from '../web/sdk/src/keys/room_keys';

const kSampleEvery = 50;
const kStepMs = 5;

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

interface Joiner {
  own: OwnLeaf;
  keys: RoomKeys | null;
  askedMs: number;
  admittedMs: number;
}

class Bench {
  readonly joiners: Joiner[] = [];
  readonly #log: LogState;
  readonly #authority: SignedObject[] = [];
  #advance: SignedObject | undefined;
  #head: SignedObject | undefined;
  #nowMs = 1000;
  keeperMs = 0;
  joinerMs = 0;
  bytesUp = 0;
  admittedBytes = 0;
  admitted = 0;
  sampled = 0;

  constructor(
    readonly genesis: Genesis,
    readonly keeper: RoomKeys,
    readonly seed: Uint8Array,
  ) {
    this.#log = new LogState(genesis);
  }

  get nowMs(): number {
    return this.#nowMs;
  }
  get wallMs(): number {
    return 1_750_000_001_000 + this.#nowMs;
  }

  /** Time goes on by what the keeper took. */
  keep(call: () => void): number {
    const beganMs = performance.now();
    call();
    const tookMs = performance.now() - beganMs;
    this.keeperMs += tookMs;
    this.#nowMs += tookMs;
    return tookMs;
  }

  send(kind: string, value: object): void {
    const message = create(KeysFromServerSchema, { message: { case: kind, value } as never });
    this.keep(() => {
      this.keeper.handleMessage(this.#nowMs, this.wallMs, message);
    });
    this.drain();
  }

  runUntil(endMs: number): void {
    while (this.#nowMs < endMs) {
      if (this.keeper.deadlineMs <= this.#nowMs) {
        this.keep(() => {
          this.keeper.handleTimeout(this.#nowMs, this.wallMs);
        });
      }
      this.drain();
      this.#nowMs += kStepMs;
    }
  }

  drain(): void {
    for (const event of this.keeper.takeEvents()) {
      if (event.kind !== 'sign') continue;
      const signature = ed25519Sign(this.seed, event.message);
      this.keep(() => {
        this.keeper.handleSigned(this.#nowMs, signature);
      });
    }
    const messages = this.keeper.takeMessages();
    for (const message of messages) {
      if (message.message.case !== 'append') continue;
      this.bytesUp += Math.ceil(toBinary(KeysFromClientSchema, message).length / 256) * 256;
      this.#append(message.message.value);
    }
    if (messages.length > 0) this.drain();
  }

  #append(append: AppendEntry): void {
    const entry = append.entry === undefined ? 'not_canonical' : parseEntry(append.entry);
    if (typeof entry === 'string') throw new Error(entry);
    const entryClass = this.#log.classOf(entry.body);
    const chain = this.#chain();
    const changes = this.#log.apply(entry, 'full');
    if (typeof changes === 'string') throw new Error(changes);
    if (entry.body.resume) this.send('admitted', { chain, admit: entry.object });
    else this.send('delivery', { entries: [{ entry: entry.object }] });
    for (const { candidate, box } of append.joinBoxes) this.#admit(candidate, chain, entry, box);
    if (isShort(entryClass)) this.#deliver(entry, append);
    if (isAuthority(entryClass)) this.#authority.push(entry.object);
    if (hasAdvance(entry)) this.#advance = entry.object;
    if (isShort(entryClass)) this.#head = entry.object;
  }

  #chain() {
    const isAuthorityEntry = (object: SignedObject | undefined) => object !== undefined && this.#authority.includes(object);
    const advance = isAuthorityEntry(this.#advance) ? undefined : this.#advance;
    const head = isAuthorityEntry(this.#head) || this.#head === this.#advance ? undefined : this.#head;
    return { genesis: this.genesis.object, authority: [...this.#authority], ...(advance ? { advance } : {}), ...(head ? { head } : {}) };
  }

  #admit(candidate: number, chain: object, entry: Entry, box: Uint8Array): void {
    const joiner = this.joiners[candidate];
    if (joiner === undefined || joiner.admittedMs > 0) throw new Error('admitted twice');
    joiner.admittedMs = this.#nowMs;
    this.admitted += 1;
    const message = create(KeysFromServerSchema, { message: { case: 'admitted', value: { chain, admit: entry.object, box } } as never });
    this.admittedBytes += Math.ceil(toBinary(KeysFromServerSchema, message).length / 64) * 64;
    if (joiner.keys === null) return;
    const beganMs = performance.now();
    joiner.keys.handleMessage(this.#nowMs, this.wallMs, message);
    this.joinerMs += performance.now() - beganMs;
    this.sampled += 1;
    if (!joiner.keys.admitted) throw new Error('a joiner did not come in');
  }

  #deliver(entry: Entry, append: AppendEntry): void {
    const leaves = this.#log.roster().map(({ leafHash }) => leafHash).filter((leaf) => leaf.join() !== entry.body.author.join());
    const positions = new Map(leaves.map((leaf, i) => [leaf.join(), i]));
    for (const { keys, own, admittedMs } of this.joiners) {
      if (keys === null || admittedMs === 0 || admittedMs === this.#nowMs) continue;
      const position = positions.get(own.certificate.leafHash.join());
      const box = append.boxes.length > 0 && position !== undefined ? append.boxes.slice(80 * position, 80 * position + 80) : new Uint8Array(0);
      const message = create(KeysFromServerSchema, { message: { case: 'delivery', value: { entries: [{ entry: entry.object, box }] } } as never });
      keys.handleMessage(this.#nowMs, this.wallMs, message);
      keys.takeEvents();
    }
  }
}

async function personOf(genesis: Genesis, seed: Uint8Array, name: string): Promise<OwnLeaf> {
  const sign = (message: Uint8Array) => Promise.resolve(ed25519Sign(seed, message));
  return makeOwnLeaf(genesis, { publicKey: ed25519PublicKey(seed), sign }, 'guest', name, random);
}

async function makeBench(members: number): Promise<Bench> {
  const seed = random(32);
  const body = create(GenesisSchema, {
    version: 1, roomId: random(16), host: ed25519PublicKey(seed), kind: RoomKind.OPEN, packetBucket: 160, createdAtMs: 1_750_000_000_000n,
  });
  const genesis = await makeGenesis(body, (message) => ed25519Sign(seed, message));
  const own = await personOf(genesis, seed, 'Keeper');
  const bench = new Bench(genesis, new RoomKeys({ genesis, own, linkSecret: random(16), random }), seed);
  bench.send('waiting', { reason: Waiting_Reason.RESUME });
  bench.send('resume', { genesis: genesis.object });
  bench.runUntil(bench.nowMs + 100);
  if (!bench.keeper.admitted) throw new Error('the room was not founded');
  for (let i = 0; i < members; ++i) {
    const leaf = await personOf(genesis, random(32), `Member ${String(i)}`);
    const keys = i % kSampleEvery === 0 ? new RoomKeys({ genesis, own: leaf, linkSecret: null, random }) : null;
    bench.joiners.push({ own: leaf, keys, askedMs: 0, admittedMs: 0 });
  }
  return bench;
}

function runJoins(bench: Bench, perSecond: number) {
  bench.runUntil(bench.nowMs + 2000);
  bench.keeperMs = 0;
  bench.bytesUp = 0;
  const beganMs = bench.nowMs;
  for (const [i, joiner] of bench.joiners.entries()) {
    bench.runUntil(beganMs + (i * 1000) / perSecond);
    joiner.askedMs = beganMs + (i * 1000) / perSecond;
    const mac = new Uint8Array(0);
    bench.send('task', { task: { case: 'admit', value: { candidate: i, keys: { certificate: joiner.own.certificate.object, linkMac: mac }, known: false } } });
  }
  bench.runUntil(bench.nowMs + 5000);
  if (bench.admitted !== bench.joiners.length) throw new Error(`only ${String(bench.admitted)} came in`);
  const waits = bench.joiners.map(({ askedMs, admittedMs }) => admittedMs - askedMs).sort((a, b) => a - b);
  const joins = bench.joiners.length;
  return {
    keeper_ms: bench.keeperMs / joins,
    joiner_bytes: bench.admittedBytes / joins,
    keeper_bytes_up: bench.bytesUp / joins,
    joiner_ms: bench.joinerMs / bench.sampled,
    admitted_after_ms_median: waits[Math.floor(joins / 2)],
    admitted_after_ms_max: waits.at(-1),
  };
}

function eject(bench: Bench, index: number): number {
  bench.keeperMs = 0;
  bench.bytesUp = 0;
  const leaf = bench.joiners[index]?.own.certificate.leafHash ?? new Uint8Array(32);
  bench.keep(() => {
    bench.keeper.command(bench.nowMs, bench.wallMs, index + 1, { kind: 'eject', leaf });
  });
  bench.drain();
  for (let waited = 0; bench.bytesUp === 0 && waited < 1000; waited += 1) bench.runUntil(bench.nowMs + 10);
  if (bench.bytesUp === 0) throw new Error('the eject was not written');
  return bench.keeperMs;
}

function runEject(bench: Bench) {
  let prepareMs = 0;
  while (!bench.keeper.boxesPrepared) prepareMs += bench.keep(() => void bench.keeper.prepareBox());
  const preparedMs = eject(bench, kSampleEvery);
  const bytesUp = bench.bytesUp;
  const frame = bench.keeper.frames.seal(new Uint8Array(80).fill(7));
  if (typeof frame === 'string') throw new Error(frame);
  const opens = (i: number) => bench.joiners[i]?.keys?.frames.open(frame.slice()).kind === 'opened';
  const ejectedOpens = opens(kSampleEvery);
  const othersOpen = opens(0) && opens(2 * kSampleEvery);
  bench.runUntil(bench.nowMs + 2000);
  return {
    prepare_ms: prepareMs, eject_ms: preparedMs, unprepared_ms: eject(bench, 1), bytes_up: bytesUp, ejected_opens: ejectedOpens, others_open: othersOpen,
  };
}

self.onmessage = async ({ data }: MessageEvent<{ members: number; rate: number }>) => {
  try {
    const bench = await makeBench(data.members);
    const join = runJoins(bench, data.rate);
    postMessage({ members: data.members, joins_per_second: data.rate, join, fresh_epoch: runEject(bench) });
  } catch (thrown) {
    postMessage({ error: String(thrown instanceof Error ? thrown.stack : thrown) });
  }
};
