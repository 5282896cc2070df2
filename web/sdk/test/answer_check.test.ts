import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AlcoveError } from '../src/errors';
import { ManifestKeeper } from '../src/manifest/keeper';
import { MemoryPinStore } from '../src/manifest/pins';
import { sha256 } from '../src/keys/crypto';
import { AnswerCheck } from '../src/room/answer_check';
import { signManifest, TestLog, verify } from './manifest/signing';

const kUnlisted = 'a=candidate:1 1 udp 1 203.0.113.7 7878 typ host\r\n';

beforeEach(() => {
  vi.stubGlobal('location', { hostname: 'alcove.example' });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('AnswerCheck', () => {
  it('tells a manifest that cannot be had now from an address that is not listed', async () => {
    const signed = signManifest();
    let away = false;
    const keeper = new ManifestKeeper({
      source: {
        manifest: () =>
          away
            ? Promise.reject(new AlcoveError('unavailable', 'network', 'away'))
            : Promise.resolve(signed),
        transparencyLog: (from) => Promise.resolve(new TestLog().addManifest(signed).page(from)),
      },
      ...{ pins: new MemoryPinStore(), verify },
    });
    const keyHash = sha256(signed.key);
    const answers = new AnswerCheck(keeper, () => Promise.resolve({ keyHash, byLink: true }));
    await answers.begin();
    const { signal } = new AbortController();
    await expect(answers.check(kUnlisted, signal)).rejects.toMatchObject({
      reason: expect.stringMatching(/^egress\./) as string,
    });
    away = true;
    await expect(answers.check(kUnlisted, signal)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(answers.check(kUnlisted, AbortSignal.abort())).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});
