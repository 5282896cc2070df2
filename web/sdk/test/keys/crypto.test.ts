import { x25519 } from '@noble/curves/ed25519';
import { describe, expect, it } from 'vitest';
import { kNoBytes, toHex } from '../../src/keys/bytes';
import {
  ed25519KeyIsValid,
  ed25519PublicKey,
  ed25519Sign,
  ed25519Verify,
  expand,
  hkdfExpand,
  hkdfExtract,
  x25519PublicKey,
  x25519Shared,
} from '../../src/keys/crypto';
import { seedOf } from './log_fixture';
import { bytesOf, vectorLines } from './vectors';

// RFC 8032, section 7.1, tests 1 to 3: secret key, public key, message, signature.
const kRfc8032 = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const;

describe('Ed25519', () => {
  it.each(kRfc8032)('signs and verifies RFC 8032: %s', (secret, key, message, signature) => {
    expect(toHex(ed25519PublicKey(bytesOf(secret)))).toBe(key);
    expect(toHex(ed25519Sign(bytesOf(secret), bytesOf(message)))).toBe(signature);
    expect(ed25519Verify(bytesOf(key), bytesOf(message), bytesOf(signature))).toBe(true);
    const wrong = bytesOf(signature);
    wrong[3] = (wrong[3] ?? 0) ^ 1;
    expect(ed25519Verify(bytesOf(key), bytesOf(message), wrong)).toBe(false);
    expect(ed25519Verify(bytesOf(key), bytesOf(`${message}00`), bytesOf(signature))).toBe(false);
  });

  it.each(vectorLines('ed25519/edges.txt'))('at its edges: %s, %s', (...fields) => {
    const [, verdict, key = '', message = '', signature = ''] = fields;
    const accepted = ed25519Verify(bytesOf(key), bytesOf(message), bytesOf(signature));
    expect(accepted).toBe(verdict === 'accept');
  });

  it.each(vectorLines('ed25519/keys.txt'))('%s key %s', (verdict, key = '') => {
    expect(ed25519KeyIsValid(bytesOf(key))).toBe(verdict !== 'refused');
  });

  it('refuses other sizes', () => {
    const [, key, message, signature] = kRfc8032[0];
    const short = bytesOf(signature).subarray(0, 63);
    expect(ed25519Verify(bytesOf(key), bytesOf(message), short)).toBe(false);
    expect(ed25519Verify(bytesOf(key).subarray(1), kNoBytes, bytesOf(signature))).toBe(false);
    expect(ed25519KeyIsValid(kNoBytes)).toBe(false);
  });
});

describe('X25519', () => {
  it('has the public keys of the ladder', () => {
    for (let i = 0; i < 32; ++i) {
      const secret = seedOf(`secret ${String(i)}`);
      expect(toHex(x25519PublicKey(secret))).toBe(toHex(x25519.getPublicKey(secret)));
    }
  });

  it('refuses keys of small order', () => {
    const secret = new Uint8Array(32).fill(9);
    for (const key of [
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000000',
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    ]) {
      expect(x25519Shared(secret, bytesOf(key))).toBeNull();
    }
    expect(x25519Shared(secret, kNoBytes)).toBeNull();
  });
});

describe('HKDF', () => {
  it('agrees with RFC 5869, test cases 1 and 3', () => {
    const key = new Uint8Array(22).fill(0x0b);
    const prk = hkdfExtract(bytesOf('000102030405060708090a0b0c'), key);
    expect(toHex(prk)).toBe('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5');
    expect(toHex(hkdfExpand(prk, bytesOf('f0f1f2f3f4f5f6f7f8f9'), 42))).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
    const unsalted = hkdfExtract(kNoBytes, key);
    expect(toHex(unsalted)).toBe(
      '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04',
    );
  });

  it('separates labels from contexts', () => {
    const secret = new Uint8Array(32).fill(1);
    const outputs = [
      expand(secret, 'ab', Uint8Array.of(0x63), 32),
      expand(secret, 'a', Uint8Array.of(0x62, 0x63), 32),
      expand(secret, 'abc', kNoBytes, 32),
    ].map(toHex);
    expect(new Set(outputs).size).toBe(3);
  });
});
