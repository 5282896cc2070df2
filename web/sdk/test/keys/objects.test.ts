import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { RoomKind } from '../../src/gen/alcove/v1/common_pb';
import {
  Advance,
  CertificateSchema,
  GenesisSchema,
  LogEntrySchema,
  LogOpSchema,
  SignedObjectSchema,
} from '../../src/gen/alcove/v1/keys_pb';
import type { LogEntry, SignedObject } from '../../src/gen/alcove/v1/keys_pb';
import { concat, equal, kNoBytes, utf8 } from '../../src/keys/bytes';
import { ed25519Sign, sha256 } from '../../src/keys/crypto';
import { linkFragmentText, linkMac, parseLinkFragment, roomCode } from '../../src/keys/link';
import {
  makeCertificate,
  makeEntry,
  objectHash,
  parseCertificate,
  parseEntry,
  parseGenesis,
  signedBytes,
} from '../../src/keys/objects';
import { admit, genesisOf, kConfirm, op, personOf, seedOf } from './log_fixture';

const genesis = await genesisOf('Ada');
const room = genesis.fingerprint;
const ada = await personOf(genesis, 'Ada');

type GenesisFields = Parameters<typeof create<typeof GenesisSchema>>[1];
type EntryFields = Omit<Partial<LogEntry>, '$typeName' | '$unknown'>;
type CertificateFields = Parameters<typeof create<typeof CertificateSchema>>[1];

function signedBy(
  seed: Uint8Array,
  type: 'genesis' | 'certificate',
  body: Uint8Array,
): SignedObject {
  const context = type === 'genesis' ? kNoBytes : room;
  const signature = ed25519Sign(seed, signedBytes(type, context, body, kNoBytes));
  return create(SignedObjectSchema, { body, signature });
}

function genesisWith(change: GenesisFields): SignedObject {
  const body = toBinary(GenesisSchema, create(GenesisSchema, { ...genesis.body, ...change }));
  return signedBy(seedOf('identity Ada'), 'genesis', body);
}

function certificateBody(change: CertificateFields = {}): Uint8Array {
  const { identity, leaf, encryption } = ada.certificate;
  const fields = { roomFingerprint: room, identity, leaf, encryption };
  const text = { account: 'guest', displayName: 'Ada' };
  return toBinary(CertificateSchema, create(CertificateSchema, { ...fields, ...text, ...change }));
}

function parseBody(body: Uint8Array) {
  return parseCertificate(room, signedBy(ada.identitySeed, 'certificate', body));
}

function entryBody(change: EntryFields = {}): LogEntry {
  const hash = seedOf('hash');
  return create(LogEntrySchema, {
    n: 7n,
    prev: hash,
    prevShort: hash,
    prevAuthority: hash,
    author: hash,
    rosterSize: 1,
    rosterHash: hash,
    stageHash: hash,
    timeMs: 5n,
    ...change,
  });
}

function parseEntryWith(change: EntryFields, confirm: Uint8Array = kNoBytes) {
  const sign = () => new Uint8Array(64);
  return parseEntry(makeEntry(room, entryBody(change), confirm, sign).object);
}

describe('genesis', () => {
  it('is read as it was made', () => {
    expect(parseGenesis(genesis.object)).toEqual(genesis);
    expect(room).toEqual(sha256(genesis.object.body, genesis.object.signature));
  });

  it.each<[string, GenesisFields]>([
    ['version', { version: 2 }],
    ['room id', { roomId: new Uint8Array(15) }],
    ['host', { host: new Uint8Array(31) }],
    ['no kind', { kind: RoomKind.UNSPECIFIED }],
    ['another kind', { kind: 4 as RoomKind }],
    ['small bucket', { packetBucket: 63 }],
    ['large bucket', { packetBucket: 1201 }],
    ['manifest key', { manifestKeyHash: new Uint8Array(31) }],
    ['time', { createdAtMs: -1n }],
    ['late time', { createdAtMs: 1n << 53n }],
  ])('is refused with a bad field: %s', (_, change) => {
    expect(parseGenesis(genesisWith(change))).toBe('bad_field');
  });

  it('is refused from another host', () => {
    const body = genesis.object.body;
    expect(parseGenesis(signedBy(seedOf('Eve'), 'genesis', body))).toBe('bad_signature');
    const confirm = kConfirm;
    expect(parseGenesis({ ...genesis.object, confirm })).toBe('bad_field');
    const signature = genesis.object.signature.subarray(1);
    expect(parseGenesis({ ...genesis.object, signature })).toBe('bad_field');
    expect(parseGenesis({ ...genesis.object, body: new Uint8Array(513) })).toBe('too_long');
  });
});

describe('certificate', () => {
  it('is read as it was made', () => {
    const parsed = parseCertificate(room, ada.certificate.object);
    expect(parsed).toEqual(ada.certificate);
    expect(ada.leaf).toEqual(objectHash(ada.certificate.object));
  });

  it('may be signed by a key that the browser holds', async () => {
    const body = create(CertificateSchema, { roomFingerprint: room });
    const made = await makeCertificate(room, body, (message) =>
      Promise.resolve(concat(sha256(message), sha256(message))),
    );
    const message = signedBytes('certificate', room, made.object.body, kNoBytes);
    expect(equal(made.object.signature.subarray(32), sha256(message))).toBe(true);
  });

  it.each<[string, CertificateFields]>([
    ['identity', { identity: new Uint8Array(31) }],
    ['leaf', { leaf: new Uint8Array(33) }],
    ['leaf of small order', { leaf: Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0)) }],
    ['encryption', { encryption: kNoBytes }],
    ['room', { roomFingerprint: kNoBytes }],
    ['no account', { account: '' }],
    ['long account', { account: 'a'.repeat(65) }],
    ['no name', { displayName: '' }],
    ['long name', { displayName: 'a'.repeat(41) }],
    ['name of many bytes', { displayName: '👩‍🚀'.repeat(15) }],
  ])('is refused with a bad field: %s', (_, change) => {
    expect(parseBody(certificateBody(change))).toBe('bad_field');
  });

  it.each(['é'.repeat(40), '👩'.repeat(40), '\ufeffAda', 'Ada\u0000', '\ufffd'])(
    'takes the name %s',
    (displayName) => {
      expect(parseBody(certificateBody({ displayName }))).toMatchObject({ displayName });
    },
  );

  it('is refused in another room, and from another signer', () => {
    const other = { roomFingerprint: seedOf('other room') };
    expect(parseBody(certificateBody(other))).toBe('wrong_room');
    const object = signedBy(seedOf('Eve'), 'certificate', certificateBody());
    expect(parseCertificate(room, object)).toBe('bad_signature');
    const asGenesis = signedBy(ada.identitySeed, 'genesis', certificateBody());
    expect(parseCertificate(room, asGenesis)).toBe('bad_signature');
  });

  it('is refused in any other encoding', () => {
    const body = certificateBody();
    const fieldSize = 34;
    const first = body.subarray(0, fieldSize);
    const second = body.subarray(fieldSize, 2 * fieldSize);
    const rest = body.subarray(2 * fieldSize);
    const name = utf8('Ada');
    const withoutName = body.subarray(0, body.length - name.length - 2);
    for (const [what, changed] of Object.entries({
      order: concat(second, first, rest),
      repeated: concat(first, body),
      unknown: concat(body, Uint8Array.of(0x38, 1)),
      group: concat(body, Uint8Array.of(0x3b, 0x3c)),
      longLength: concat(withoutName, Uint8Array.of(0x32, 0x83, 0x00), name),
      longTag: concat(withoutName, Uint8Array.of(0xb2, 0x00, 3), name),
      badText: concat(withoutName, Uint8Array.of(0x32, 2, 0xc3, 0x28)),
      overlong: concat(withoutName, Uint8Array.of(0x32, 2, 0xc0, 0x80)),
      surrogate: concat(withoutName, Uint8Array.of(0x32, 3, 0xed, 0xa0, 0x80)),
      cut: body.subarray(0, body.length - 1),
      past: concat(withoutName, Uint8Array.of(0x32, 100)),
      nothing: Uint8Array.of(0xff, 0xff, 0xff),
      manyGroups: new Uint8Array(500).fill(0x3b),
    })) {
      expect([what, parseBody(changed)]).toEqual([what, 'not_canonical']);
    }
  });
});

describe('entry', () => {
  it('is read as it was made', () => {
    const made = makeEntry(room, entryBody(), kNoBytes, () => new Uint8Array(64));
    expect(parseEntry(made.object)).toEqual(made);
    expect(made.bodyHash).toEqual(sha256(made.object.body));
  });

  it('has a confirm with an advance, and only then', () => {
    expect(parseEntryWith({ advance: Advance.RATCHET }, kConfirm)).toBeTypeOf('object');
    expect(parseEntryWith({ advance: Advance.RATCHET })).toBe('bad_field');
    expect(parseEntryWith({}, kConfirm)).toBe('bad_field');
    expect(parseEntryWith({ advance: 3 as Advance }, kConfirm)).toBe('bad_field');
    expect(parseEntryWith({ advance: -1 as Advance }, kConfirm)).toBe('bad_field');
  });

  const hash = seedOf('hash');
  const lock = op({ case: 'lock', value: { locked: true } });
  const depart = op({ case: 'depart', value: { leaf: hash } });
  const certificate = ada.certificate.object;
  const role = (value: object) => [op({ case: 'role', value: { leaf: hash, ...value } })];
  const link = (box: Uint8Array) =>
    op({ case: 'link', value: { generation: 1, boxes: [{ leaf: hash, box }] } });

  it.each<[string, EntryFields]>([
    ['n', { n: 0n }],
    ['large n', { n: 1n << 53n }],
    ['time', { timeMs: -1n }],
    ['prev', { prev: kNoBytes }],
    ['stage hash', { stageHash: new Uint8Array(33) }],
    ['roster size', { rosterSize: 65_536 }],
    ['resume without an advance', { resume: true, ops: [admit(ada, 1)] }],
    ['no op', { ops: [create(LogOpSchema)] }],
    ['65 ops', { ops: Array.from({ length: 65 }, () => depart) }],
    ['17 admits', { ops: Array.from({ length: 17 }, () => admit(ada)) }],
    ['two of authority', { ops: [lock, lock] }],
    ['no certificate', { ops: [op({ case: 'admit', value: {} })] }],
    ['seat', { ops: [admit(ada, 256)] }],
    ['depart', { ops: [op({ case: 'depart', value: {} })] }],
    ['eject', { ops: [op({ case: 'eject', value: { leaf: hash } })] }],
    ['no role', { ops: role({ role: 0 }) }],
    ['speaker without seat', { ops: role({ role: 2, certificate }) }],
    ['speaker without certificate', { ops: role({ role: 2, seat: 1 }) }],
    ['box of a speaker', { ops: role({ role: 2, seat: 1, certificate, linkBox: hash }) }],
    ['moderator with seat', { ops: role({ role: 3, seat: 1 }) }],
    ['link box', { ops: [link(new Uint8Array(63))] }],
    ['no invite', { ops: [op({ case: 'invite', value: {} })] }],
    [
      '65 invites',
      { ops: [op({ case: 'invite', value: { identities: Array<Uint8Array>(65).fill(hash) } })] },
    ],
  ])('is refused with a bad field: %s', (_, change) => {
    expect(parseEntryWith(change)).toBe('bad_field');
  });

  it('takes what is just within bounds', () => {
    const ops = [
      ...Array.from({ length: 16 }, () => admit(ada)),
      ...Array.from({ length: 47 }, () => depart),
      lock,
    ];
    expect(parseEntryWith({ ops, n: (1n << 53n) - 1n })).toBeTypeOf('object');
    expect(parseEntryWith({ ops: [link(new Uint8Array(64))] })).toBeTypeOf('object');
    expect(parseEntryWith({ ops: [admit(ada, 1)], advance: 2, resume: true }, kConfirm)).toBeTypeOf(
      'object',
    );
  });

  it('is refused with a default that is written out, or numbers that are cut', () => {
    const { body } = makeEntry(room, entryBody(), kNoBytes, () => new Uint8Array(64)).object;
    const signature = new Uint8Array(64);
    for (const tail of [
      [0x58, 0],
      [0x68, 0],
      [0x68, 2],
      [0x58, 0x80, 0x80, 0x80, 0x80, 0x10],
      [0x62, 0x02, 0x2a, 0x02],
    ]) {
      const object = create(SignedObjectSchema, {
        body: concat(body, Uint8Array.from(tail)),
        signature,
      });
      expect(parseEntry(object)).toBe('not_canonical');
    }
  });
});

describe('room code and link', () => {
  it('has six groups of five digits', () => {
    const fingerprint = Uint8Array.from({ length: 32 }, (_, i) => i);
    // 0x0001020304 = 16,909,060; 0x0506070809 = 21,575,960,585; …
    expect(roomCode(fingerprint).slice(0, 11)).toBe('09060 60585');
    expect(roomCode(new Uint8Array(32))).toBe('00000 00000 00000 00000 00000 00000');
    const all = roomCode(new Uint8Array(32).fill(0xff));
    expect(all).toBe(Array(6).fill('27775').join(' '));
  });

  it('reads a fragment as it was written, and nothing else', () => {
    const fragment = { fingerprint: room, secret: seedOf('secret').slice(0, 16) };
    const text = linkFragmentText(fragment);
    expect(parseLinkFragment(text)).toEqual(fragment);
    for (const wrong of ['', '.', `${text}.`, `${text}A`, `${text}=`, text.slice(1), `#${text}`]) {
      expect(parseLinkFragment(wrong)).toBeNull();
    }
    // 32 bytes end in four unused bits.
    const [head = '', tail = ''] = text.split('.');
    const stray = head.slice(0, -1) + (head.endsWith('B') ? 'C' : 'B');
    expect(parseLinkFragment(`${stray}.${tail}`)).toBeNull();
  });

  it('has a mac for each leaf', () => {
    const secret = seedOf('secret').slice(0, 16);
    const mac = linkMac(secret, room, ada.leaf);
    expect(mac).toHaveLength(32);
    expect(equal(mac, linkMac(secret, room, seedOf('other leaf')))).toBe(false);
    expect(equal(mac, linkMac(seedOf('other').slice(0, 16), room, ada.leaf))).toBe(false);
  });
});
