import { describe, expect, it } from 'vitest';
import { concat } from '../../src/keys/bytes';
import { x25519PublicKey } from '../../src/keys/crypto';
import { HpkeSealContext, hpkeOpen, hpkeSeal } from '../../src/keys/hpke';
import { vectorFields } from './vectors';

const field = vectorFields('hpke/rfc9180_a11_base.txt');
const [info, aad, plaintext] = [field('info'), field('aad'), field('pt')];
const [receiver, receiverKey, ephemeral] = [field('pkRm'), field('skRm'), field('skEm')];
const box = concat(field('enc'), field('ct'));

describe('HPKE', () => {
  it('seals and opens RFC 9180, appendix A.1.1', () => {
    expect(x25519PublicKey(receiverKey)).toEqual(receiver);
    expect(hpkeSeal(receiver, info, aad, plaintext, ephemeral)).toEqual(box);
    expect(hpkeOpen(receiverKey, info, aad, box)).toEqual(plaintext);
  });

  it('prepares a context that seals once', () => {
    const context = HpkeSealContext.make(receiver, info, ephemeral);
    expect(context?.seal(aad, plaintext)).toEqual(box);
    expect(() => context?.seal(aad, plaintext)).toThrow();
  });

  it('opens nothing that was changed', () => {
    for (let i = 0; i < box.length; ++i) {
      const changed = box.slice();
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(hpkeOpen(receiverKey, info, aad, changed)).toBeNull();
    }
    expect(hpkeOpen(receiverKey, info, info, box)).toBeNull();
    expect(hpkeOpen(receiverKey, aad, aad, box)).toBeNull();
    expect(hpkeOpen(ephemeral, info, aad, box)).toBeNull();
  });

  it('opens nothing that is cut short', () => {
    for (let size = 0; size < box.length; ++size) {
      expect(hpkeOpen(receiverKey, info, aad, box.subarray(0, size))).toBeNull();
    }
  });

  it('refuses a key of small order on either side', () => {
    const small = new Uint8Array(32);
    expect(hpkeSeal(small, info, aad, plaintext, ephemeral)).toBeNull();
    expect(hpkeOpen(receiverKey, info, aad, concat(small, box.subarray(32)))).toBeNull();
  });
});
