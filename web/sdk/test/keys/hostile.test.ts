// Whatever bytes come, nothing throws and nothing that is refused changes the state.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { LogChainSchema, SignedObjectSchema } from '../../src/gen/alcove/v1/keys_pb';
import type { SignedObject } from '../../src/gen/alcove/v1/keys_pb';
import { toHex } from '../../src/keys/bytes';
import { ed25519Sign, sha256 } from '../../src/keys/crypto';
import { KeyedFrames } from '../../src/keys/frames';
import { walkChain } from '../../src/keys/log_chain';
import { parseCertificate, parseEntry, parseGenesis, signedBytes } from '../../src/keys/objects';
import { admit, Room, seedOf } from './log_fixture';

/** The same numbers in every run. */
class Chance {
  #state = seedOf('chance');

  below(limit: number): number {
    this.#state = sha256(this.#state);
    return new DataView(this.#state.buffer).getUint32(0) % limit;
  }

  /** A byte changed, taken out or put in, a few times. */
  mutated(bytes: Uint8Array): Uint8Array {
    const out = [...bytes];
    for (let i = this.below(3); i >= 0; --i) {
      const at = this.below(out.length + 1);
      const inserted = this.below(2) === 0 ? [this.below(256)] : [];
      out.splice(at, this.below(2), ...inserted);
    }
    return Uint8Array.from(out);
  }
}

it('objects that were changed are refused', async () => {
  const chance = new Chance();
  const room = await Room.open();
  const certificate = room.host.certificate.object;
  for (let i = 0; i < 300; ++i) {
    for (const object of [room.genesis.object, certificate, room.entries[0]?.object]) {
      if (object === undefined) throw new Error('no entry');
      const changed: SignedObject = { ...object, body: chance.mutated(object.body) };
      if (toHex(changed.body) === toHex(object.body)) continue;
      expect(parseGenesis(changed)).toBeTypeOf('string');
      expect(parseCertificate(room.genesis.fingerprint, changed)).toBeTypeOf('string');
      expect(() => parseEntry(changed)).not.toThrow();
    }
  }
});

it('entries that a member signed are refused or leave a state that goes on', async () => {
  const chance = new Chance();
  const room = await Room.open();
  const bea = await room.speaker('Bea');
  const entry = room.draft(bea, [admit(await room.person('Dan'))]);
  if (typeof entry === 'string') throw new Error(entry);
  const before = toHex(room.state.last);
  for (let i = 0; i < 300; ++i) {
    const body = chance.mutated(entry.object.body);
    const message = signedBytes('entry', room.genesis.fingerprint, body, entry.object.confirm);
    const signature = ed25519Sign(bea.leafSeed, message);
    const parsed = parseEntry(create(SignedObjectSchema, { body, signature }));
    if (typeof parsed === 'string') continue;
    for (const follow of ['full', 'short', 'chain'] as const) {
      expect(() => room.state.check(parsed, follow)).not.toThrow();
    }
  }
  expect(toHex(room.state.last)).toBe(before);
  expect(room.state.apply(entry, 'full')).toBeTypeOf('object');
});

it('chains that were changed are refused', async () => {
  const chance = new Chance();
  const room = await Room.open();
  const first = room.entries[0]?.object;
  if (first === undefined) throw new Error('no entry');
  const chain = create(LogChainSchema, {
    genesis: room.genesis.object,
    authority: [first],
    advance: first,
    head: first,
  });
  const { fingerprint } = room.genesis;
  expect(walkChain(chain, fingerprint)).toBeTypeOf('object');
  const bytes = toBinary(LogChainSchema, chain);
  let refused = 0;
  for (let i = 0; i < 300; ++i) {
    let changed;
    try {
      changed = fromBinary(LogChainSchema, chance.mutated(bytes));
    } catch {
      continue;
    }
    const result = walkChain(changed, fingerprint);
    if (typeof result === 'string') ++refused;
    else expect(toHex(result.state.last)).toBe(toHex(room.state.last));
  }
  expect(refused).toBeGreaterThan(50);
});

it('frames of anybody are dropped', () => {
  const chance = new Chance();
  const leaf = seedOf('leaf');
  const frames = new KeyedFrames(160);
  frames.addEpoch({ number: 5, secret: seedOf('epoch') });
  frames.setHolders(new Map(Array.from({ length: 255 }, (_, i) => [i + 1, leaf])));
  frames.setOwn({ seat: 9, leaf });
  frames.setSendEpoch(5);
  const frame = frames.seal(Uint8Array.of(1, 2, 3));
  if (typeof frame === 'string') throw new Error(frame);
  for (let i = 0; i < 500; ++i) {
    const changed = chance.mutated(frame);
    const sized = new Uint8Array(160);
    sized.set(changed.subarray(0, 160));
    if (toHex(sized) === toHex(frame)) continue;
    expect(frames.open(sized).kind).not.toBe('opened');
    expect(() => frames.open(changed)).not.toThrow();
  }
  expect(frames.counts.opened).toBe(0);
  expect(frames.open(frame).kind).toBe('opened');
});
