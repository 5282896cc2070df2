import { describe, expect, it } from 'vitest';
import { concat, toHex } from '../../src/keys/bytes';
import {
  parseSFrameHeader,
  SFrameKey,
  sframeHeaderSize,
  writeSFrameHeader,
} from '../../src/keys/sframe';
import { bytesOf, vectorFields, vectorLines } from './vectors';

const headers = vectorLines('sframe/rfc9605_headers.txt').map(
  ([keyId = '', counter = '', encoded = '']) => ({
    keyId: BigInt(`0x${keyId}`),
    counter: BigInt(`0x${counter}`),
    encoded,
  }),
);
const field = vectorFields('sframe/rfc9605_suite4.txt');
const [metadata, plaintext, sealed] = [field('metadata'), field('pt'), field('ct')];
const kCounter = 0x4567n;

function suiteKey(): SFrameKey {
  return new SFrameKey(field('base_key'), 0x123n);
}

describe('SFrame headers', () => {
  it('are those of RFC 9605', () => {
    expect(headers).toHaveLength(289);
    for (const { keyId, counter, encoded } of headers) {
      expect(toHex(writeSFrameHeader(keyId, counter))).toBe(encoded);
      expect(sframeHeaderSize(keyId, counter)).toBe(encoded.length / 2);
      const parsed = parseSFrameHeader(concat(bytesOf(encoded), Uint8Array.of(1, 2)));
      expect(parsed).toEqual({ keyId, counter, size: encoded.length / 2 });
    }
  });

  it('that are cut short are refused', () => {
    for (const { encoded } of headers) {
      const bytes = bytesOf(encoded);
      expect(parseSFrameHeader(bytes.subarray(0, bytes.length - 1))).toBeNull();
    }
  });

  it.each(['8007', '0807', '900012', '090012', '88ff07', 'a0000001'])(
    'that are not the shortest are refused: %s',
    (encoded) => {
      expect(parseSFrameHeader(bytesOf(encoded))).toBeNull();
    },
  );
});

describe('SFrameKey', () => {
  it('seals and opens RFC 9605, appendix C.3', () => {
    const key = suiteKey();
    expect(toHex(key.seal(kCounter, metadata, plaintext))).toBe(toHex(sealed));
    const header = parseSFrameHeader(sealed);
    expect(header && key.open(header, metadata, sealed)).toEqual(plaintext);
  });

  it('opens nothing that was changed', () => {
    const key = suiteKey();
    const header = parseSFrameHeader(sealed);
    if (header === null) throw new Error('no header');
    for (let i = 0; i < sealed.length; ++i) {
      const changed = sealed.slice();
      changed[i] = (changed[i] ?? 0) ^ 0x10;
      expect(key.open(header, metadata, changed)).toBeNull();
    }
    expect(key.open(header, plaintext, sealed)).toBeNull();
    expect(key.open({ ...header, counter: 1n }, metadata, sealed)).toBeNull();
    expect(key.open(header, metadata, sealed.subarray(0, header.size + 15))).toBeNull();
  });
});
