import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { EgressError } from '../../src/egress/error';
import { applyAnswer, checkAnswer, openPeer, strayRemote } from '../../src/egress/peer';
import { ManifestKeeper } from '../../src/manifest/keeper';
import { MemoryPinStore } from '../../src/manifest/pins';
import { verifyManifest } from '../../src/manifest/verify';
import type { VerifiedManifest } from '../../src/manifest/verify';
import { AnswerCheck } from '../../src/room/answer_check';
import { kManifest, signManifest, TestLog, verify } from '../manifest/signing';

let manifest: VerifiedManifest;
beforeAll(async () => {
  manifest = await verifyManifest(signManifest(), verify);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const kCandidate = (address: string) =>
  `m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=candidate:1 1 udp 1 ${address} 7878 typ host\r\n`;

describe('openPeer', () => {
  it('names no ICE server', () => {
    const made: RTCConfiguration[] = [];
    vi.stubGlobal('RTCPeerConnection', function (configuration: RTCConfiguration) {
      made.push(configuration);
    });
    openPeer(manifest, false);
    openPeer(manifest, true);
    expect(made.map(({ iceServers }) => iceServers)).toEqual([[], []]);
  });
});

describe('checkAnswer and applyAnswer', () => {
  it('gives the browser nothing of an answer that is refused', async () => {
    vi.stubGlobal('location', new URL('https://alcove.example/'));
    const given: string[] = [];
    const pc = {
      setRemoteDescription: ({ sdp }: { sdp: string }) => {
        given.push(sdp);
        return Promise.resolve();
      },
    } as unknown as RTCPeerConnection;
    expect(() => checkAnswer(kCandidate('203.0.113.7'), manifest)).toThrow(EgressError);
    expect(given).toEqual([]);
    await applyAnswer(pc, checkAnswer(kCandidate('198.51.100.8'), manifest));
    expect(given).toEqual([kCandidate('198.51.100.8')]);
  });
});

describe('AnswerCheck', () => {
  it('asks for the manifest once more before it refuses', async () => {
    vi.stubGlobal('location', new URL('https://alcove.example/'));
    const log = new TestLog().addManifest(signManifest());
    const server = { signed: signManifest(), asked: 0 };
    const keeper = new ManifestKeeper({
      source: {
        manifest: () => {
          server.asked += 1;
          return Promise.resolve(server.signed);
        },
        transparencyLog: (from) => Promise.resolve(log.page(from)),
      },
      pins: new MemoryPinStore(),
      verify,
    });
    const check = new AnswerCheck(keeper, () =>
      Promise.resolve({ keyHash: manifest.keyHash, byLink: true }),
    );
    const { signal } = new AbortController();
    await check.begin();
    await check.check(kCandidate('198.51.100.8'), signal);
    expect(server.asked).toBe(1);
    const evil = kCandidate('198.51.100.9');
    await expect(check.check(evil, signal)).rejects.toMatchObject({ reason: 'egress.unlisted' });
    expect(server.asked).toBe(2);
    const relay = { ...kManifest.endpoints?.[1], addresses: ['198.51.100.9'] };
    server.signed = signManifest({ serial: 8n, endpoints: [relay] } as never);
    log.addManifest(server.signed);
    const { sdp, manifest: fresh } = await check.check(evil, signal);
    expect(sdp).toBe(evil);
    expect(fresh.manifest.serial).toBe(8n);
  });
});

describe('strayRemote', () => {
  const remote = (change: object) => [
    { type: 'local-candidate', address: '203.0.113.9', port: 5, protocol: 'udp' },
    {
      ...{ type: 'remote-candidate', candidateType: 'host', address: '198.51.100.8' },
      ...{ port: 7878, protocol: 'udp', ...change },
    },
  ];
  it('sees remote candidates that no manifest lists, and those that came by themselves', () => {
    const { relays } = manifest;
    expect(strayRemote(remote({}), relays)).toBeNull();
    expect(strayRemote(remote({ protocol: 'TCP' }), relays)).toBeNull();
    expect(strayRemote(remote({ address: undefined }), relays)).toBeNull();
    expect(strayRemote([null, 7, {}], relays)).toBeNull();
    expect(strayRemote(remote({ address: '203.0.113.7' }), relays)).toBe('203.0.113.7');
    expect(strayRemote(remote({ port: 1 }), relays)).toBe('198.51.100.8');
    expect(strayRemote(remote({ candidateType: 'prflx' }), relays)).toBe('198.51.100.8');
    const hidden = remote({ candidateType: 'prflx', address: undefined });
    expect(strayRemote(hidden, relays)).toBe('?');
  });
});
