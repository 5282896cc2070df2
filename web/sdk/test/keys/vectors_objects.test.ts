// tests/vectors/room-keys/objects.json, boxes.json and frames.txt: the same bytes and verdicts as in C++.

import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { SignedObjectSchema } from '../../src/gen/alcove/v1/keys_pb';
import { toHex } from '../../src/keys/bytes';
import { ed25519PublicKey, expand, hkdfExtract, x25519PublicKey } from '../../src/keys/crypto';
import {
  appKey,
  baseKey,
  boxInfo,
  chainOf,
  confirmOf,
  nextEpochSecret,
  openBox,
  prepareBox,
} from '../../src/keys/epochs';
import type { BoxKind } from '../../src/keys/epochs';
import { KeyedFrames } from '../../src/keys/frames';
import { hpkeSeal } from '../../src/keys/hpke';
import { linkFragmentText, linkMac, parseLinkFragment, roomCode } from '../../src/keys/link';
import { parseCertificate, parseEntry, parseGenesis } from '../../src/keys/objects';
import type { ObjectError } from '../../src/keys/objects';
import { parseSFrameHeader, SFrameKey } from '../../src/keys/sframe';
import { bytesOf, vectorJson, vectorLines } from './vectors';

type Fields<Name extends string> = Record<Name, string>;

interface ObjectVectors {
  genesis: Fields<'object' | 'room_fp' | 'room_code' | 'host'>;
  keys: Fields<
    | 'identity_seed'
    | 'identity'
    | 'leaf_seed'
    | 'leaf'
    | 'encryption_private'
    | 'encryption'
    | 'certificate'
    | 'account'
    | 'display_name'
    | 'leaf_hash'
  >[];
  link: Fields<'fragment' | 'secret' | 'link_key' | 'leaf_hash' | 'link_mac'>;
  expand: (Fields<'secret' | 'label' | 'context' | 'out'> & { size: number })[];
  epochs: (Fields<'chain_before' | 'h' | 'joiner' | 'epoch' | 'chain' | 'confirm' | 'app'> & {
    mode: string;
    /** Empty for a ratchet. */
    fresh: string;
    seats: { seat: number; leaf_hash: string; base: string }[];
  })[];
  entry: string;
  invalid: { what: string; type: string; object: string; error: ObjectError }[];
}

interface BoxVectors {
  boxes: (Fields<
    | 'room_fp'
    | 'leaf_hash'
    | 'receiver_private'
    | 'receiver_public'
    | 'ephemeral_private'
    | 'info'
    | 'aad'
    | 'plaintext'
    | 'box'
  > & { kind: BoxKind })[];
}

const vectors = vectorJson<ObjectVectors>('room-keys/objects.json');
const room = bytesOf(vectors.genesis.room_fp);

function objectOf(hex: string) {
  return fromBinary(SignedObjectSchema, bytesOf(hex));
}

function valueOf<Value extends object>(parsed: Value | ObjectError): Value {
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

describe('objects of the vectors', () => {
  it('a genesis', () => {
    const genesis = valueOf(parseGenesis(objectOf(vectors.genesis.object)));
    expect(toHex(genesis.fingerprint)).toBe(vectors.genesis.room_fp);
    expect(toHex(genesis.host)).toBe(vectors.genesis.host);
    expect(roomCode(genesis.fingerprint)).toBe(vectors.genesis.room_code);
  });

  it.each(vectors.keys)('the certificate of $display_name', (vector) => {
    const certificate = valueOf(parseCertificate(room, objectOf(vector.certificate)));
    expect(toHex(certificate.leafHash)).toBe(vector.leaf_hash);
    expect(toHex(certificate.identity)).toBe(vector.identity);
    expect(toHex(certificate.leaf)).toBe(vector.leaf);
    expect(toHex(certificate.encryption)).toBe(vector.encryption);
    expect(certificate.account).toBe(vector.account);
    expect(certificate.displayName).toBe(vector.display_name);
    expect(toHex(ed25519PublicKey(bytesOf(vector.identity_seed)))).toBe(vector.identity);
    expect(toHex(ed25519PublicKey(bytesOf(vector.leaf_seed)))).toBe(vector.leaf);
    expect(toHex(x25519PublicKey(bytesOf(vector.encryption_private)))).toBe(vector.encryption);
  });

  it('a link', () => {
    const { fragment, secret, link_key, leaf_hash, link_mac } = vectors.link;
    const parsed = parseLinkFragment(fragment);
    if (parsed === null) throw new Error('no fragment');
    expect(toHex(parsed.secret)).toBe(secret);
    expect(toHex(parsed.fingerprint)).toBe(vectors.genesis.room_fp);
    expect(linkFragmentText(parsed)).toBe(fragment);
    expect(toHex(expand(parsed.secret, 'link', new Uint8Array(), 32))).toBe(link_key);
    expect(toHex(linkMac(parsed.secret, room, bytesOf(leaf_hash)))).toBe(link_mac);
  });

  it.each(vectors.expand)('Expand for $label', ({ secret, label, context, size, out }) => {
    expect(toHex(expand(bytesOf(secret), label, bytesOf(context), size))).toBe(out);
  });

  it.each(vectors.epochs)('a $mode epoch', (vector) => {
    const fresh = vector.fresh ? bytesOf(vector.fresh) : null;
    const chain = bytesOf(vector.chain_before);
    const h = bytesOf(vector.h);
    expect(toHex(hkdfExtract(chain, fresh ?? new Uint8Array(32)))).toBe(vector.joiner);
    const epoch = nextEpochSecret(chain, fresh, h);
    expect(toHex(epoch)).toBe(vector.epoch);
    expect(toHex(chainOf(epoch))).toBe(vector.chain);
    expect(toHex(confirmOf(epoch, h))).toBe(vector.confirm);
    expect(toHex(appKey(epoch))).toBe(vector.app);
    for (const { seat, leaf_hash, base } of vector.seats) {
      expect(toHex(baseKey(epoch, seat, bytesOf(leaf_hash)))).toBe(base);
    }
  });

  it('the first entry', () => {
    expect(valueOf(parseEntry(objectOf(vectors.entry))).body.n).toBe(1n);
  });

  it.each(vectors.invalid)('refuses a $type: $what', ({ type, object, error }) => {
    const parsers: Record<string, () => unknown> = {
      genesis: () => parseGenesis(objectOf(object)),
      certificate: () => parseCertificate(room, objectOf(object)),
      entry: () => parseEntry(objectOf(object)),
    };
    expect(parsers[type]?.()).toBe(error);
  });
});

describe('boxes of the vectors', () => {
  it.each(vectorJson<BoxVectors>('room-keys/boxes.json').boxes)('$kind', (vector) => {
    const [roomFp, leafHash] = [bytesOf(vector.room_fp), bytesOf(vector.leaf_hash)];
    const [aad, plaintext] = [bytesOf(vector.aad), bytesOf(vector.plaintext)];
    const [privateKey, encryption] = [vector.receiver_private, vector.receiver_public].map(
      bytesOf,
    ) as [Uint8Array, Uint8Array];
    const ephemeral = bytesOf(vector.ephemeral_private);
    expect(toHex(boxInfo(vector.kind, roomFp, leafHash))).toBe(vector.info);
    const opened = openBox(vector.kind, roomFp, leafHash, privateKey, aad, bytesOf(vector.box));
    expect(opened && toHex(opened)).toBe(vector.plaintext);
    const context = prepareBox(vector.kind, roomFp, { leafHash, encryption }, ephemeral);
    expect(context && toHex(context.seal(aad, plaintext))).toBe(vector.box);
    const sealed = hpkeSeal(encryption, bytesOf(vector.info), aad, plaintext, ephemeral);
    expect(sealed && toHex(sealed)).toBe(vector.box);
  });
});

describe('frames of the vectors', () => {
  it.each(vectorLines('room-keys/frames.txt'))('seat %s, leaf %s, epoch %s', (...fields) => {
    const [seat = 0, number = 0, bucket = 0, counter = 0] = [0, 2, 4, 5].map((i) =>
      Number(fields[i]),
    );
    const [leaf, secret, opus, base, payload] = [1, 3, 6, 7, 8].map((i) =>
      bytesOf(fields[i] ?? 'missing'),
    ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    expect(toHex(baseKey(secret, seat, leaf))).toBe(toHex(base));

    const receiver = new KeyedFrames(bucket);
    receiver.addEpoch({ number, secret });
    receiver.setHolders(new Map([[seat, leaf]]));
    const opened = receiver.open(payload);
    expect(opened).toEqual({ kind: 'opened', seat, leaf, epoch: number, opus });

    const header = parseSFrameHeader(payload);
    expect(header?.counter).toBe(BigInt(counter));
    const plaintext = new Uint8Array(bucket - (header?.size ?? 0) - 16);
    plaintext.set([opus.length >> 8, opus.length & 0xff]);
    plaintext.set(opus, 2);
    const key = new SFrameKey(base, header?.keyId ?? 0n);
    expect(toHex(key.seal(BigInt(counter), new Uint8Array(), plaintext))).toBe(toHex(payload));
    if (counter !== 0) return;
    const sender = new KeyedFrames(bucket);
    sender.addEpoch({ number, secret });
    sender.setSendEpoch(number);
    sender.setOwn({ seat, leaf });
    expect(sender.seal(opus)).toEqual(payload);
  });
});
