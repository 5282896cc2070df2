import { describe, expect, it } from 'vitest';
import { kNoBytes, toHex } from '../../src/keys/bytes';
import { x25519PublicKey } from '../../src/keys/crypto';
import {
  baseKey,
  chainOf,
  confirmOf,
  epochIsConfirmed,
  epochPlaintext,
  kEpochBoxSize,
  kFreshBoxSize,
  kZeroSecret,
  nextEpochSecret,
  openBox,
  openEpochBox,
  prepareBox,
} from '../../src/keys/epochs';
import { seedOf } from './log_fixture';

const h = seedOf('entry');
const room = seedOf('room');
const leafHash = seedOf('leaf');
const privateKey = seedOf('encryption');
const receiver = { leafHash, encryption: x25519PublicKey(privateKey) };
const epoch = { number: 0x01020304, secret: nextEpochSecret(kZeroSecret, seedOf('fresh'), h) };

describe('epochs', () => {
  it('bind the chain, the fresh secret and the entry', () => {
    const chain = chainOf(epoch.secret);
    const others = [
      nextEpochSecret(chain, null, h),
      nextEpochSecret(chain, seedOf('fresh'), h),
      nextEpochSecret(chain, null, seedOf('other entry')),
      nextEpochSecret(kZeroSecret, null, h),
    ].map(toHex);
    expect(new Set([...others, toHex(epoch.secret)]).size).toBe(5);
    expect(nextEpochSecret(chain, kZeroSecret, h)).toEqual(nextEpochSecret(chain, null, h));
  });

  it('are confirmed by their entry alone', () => {
    const confirm = confirmOf(epoch.secret, h);
    expect(epochIsConfirmed(epoch.secret, { object: { confirm }, bodyHash: h })).toBe(true);
    expect(epochIsConfirmed(epoch.secret, { object: { confirm }, bodyHash: room })).toBe(false);
    const none = { object: { confirm: kNoBytes }, bodyHash: h };
    expect(epochIsConfirmed(epoch.secret, none)).toBe(false);
  });

  it('have another key for each seat and holder', () => {
    const keys = [
      baseKey(epoch.secret, 1, leafHash),
      baseKey(epoch.secret, 2, leafHash),
      baseKey(epoch.secret, 1, room),
    ].map(toHex);
    expect(new Set(keys).size).toBe(3);
    expect(keys[0]).toHaveLength(32);
  });
});

describe('boxes', () => {
  it('carry an epoch to one leaf', () => {
    const admit = seedOf('admit entry');
    const box = prepareBox('join', room, receiver, seedOf('ephemeral'))?.seal(
      admit,
      epochPlaintext(epoch),
    );
    if (box === undefined) throw new Error('no box');
    expect(box).toHaveLength(kEpochBoxSize);
    expect(openEpochBox('join', room, leafHash, privateKey, admit, box)).toEqual(epoch);
    expect(openEpochBox('rebox', room, leafHash, privateKey, admit, box)).toBeNull();
    expect(openEpochBox('join', leafHash, leafHash, privateKey, admit, box)).toBeNull();
    expect(openEpochBox('join', room, room, privateKey, admit, box)).toBeNull();
    expect(openEpochBox('join', room, leafHash, privateKey, h, box)).toBeNull();
    expect(openEpochBox('join', room, leafHash, seedOf('other'), admit, box)).toBeNull();
  });

  it('of a fresh advance have their size, and of an epoch no other', () => {
    const fresh = seedOf('fresh');
    const box = prepareBox('box', room, receiver, seedOf('ephemeral'))?.seal(h, fresh);
    if (box === undefined) throw new Error('no box');
    expect(box).toHaveLength(kFreshBoxSize);
    expect(openBox('box', room, leafHash, privateKey, h, box)).toEqual(fresh);
    const wrongSize = prepareBox('join', room, receiver, seedOf('ephemeral'))?.seal(h, fresh);
    expect(openEpochBox('join', room, leafHash, privateKey, h, wrongSize ?? kNoBytes)).toBeNull();
  });

  it('are not made for a key of small order', () => {
    const nobody = { leafHash, encryption: new Uint8Array(32) };
    expect(prepareBox('box', room, nobody, seedOf('ephemeral'))).toBeNull();
  });
});
