import { describe, expect, it } from 'vitest';
import { stripCandidates } from '../src/media/sdp';

const kOffer = [
  'v=0',
  'o=- 1 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=audio 44440 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 192.0.2.2',
  'a=rtcp:44441 IN IP4 192.0.2.2',
  'a=candidate:1 1 udp 2122194687 192.0.2.2 44440 typ host generation 0',
  'a=candidate:2 1 udp 2122265343 7f3c.local 37783 typ host',
  'a=end-of-candidates',
  'a=ice-ufrag:/cVo',
  'a=mid:0',
  '',
];

describe('stripCandidates', () => {
  it('leaves no candidate and no address behind, and the rest alone', () => {
    for (const end of ['\r\n', '\n']) {
      const stripped = stripCandidates(kOffer.join(end));
      expect(stripped).not.toMatch(/candidate|192\.0\.2|\.local|44440|44441/);
      expect(stripped.split(end)).toEqual([
        ...kOffer.slice(0, 5),
        'm=audio 9 UDP/TLS/RTP/SAVPF 111',
        'c=IN IP4 0.0.0.0',
        'a=rtcp:9 IN IP4 0.0.0.0',
        ...kOffer.slice(11),
      ]);
    }
  });

  it('takes IPv6 out too, and leaves a clean offer as it is', () => {
    expect(stripCandidates('c=IN IP6 2001:db8::1\r\n')).toBe('c=IN IP4 0.0.0.0\r\n');
    const clean = 'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n';
    expect(stripCandidates(clean)).toBe(clean);
    expect(stripCandidates('')).toBe('');
  });
});
