import { describe, expect, it } from 'vitest';
import { usableCandidates, stripCandidates } from '../src/media/sdp';

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

describe('usableCandidates', () => {
  const line = (address: string) => `a=candidate:1 1 udp 2130706431 ${address} 7878 typ host\r\n`;

  it('keeps addresses', () => {
    for (const address of ['192.0.2.7', '127.0.0.1', '2001:db8::1', '::1', '::ffff:192.0.2.1']) {
      expect(usableCandidates(line(address), 'localhost')).toBe(line(address));
    }
  });

  it('drops names and what is no address', () => {
    const bad = ['relay.example', 'a.local', '1.2.3', '1.2.3.256', '1.2.3.4.5', ':::', 'g::1', ''];
    for (const address of bad) {
      expect(usableCandidates(`a=mid:0\r\n${line(address)}`, 'localhost')).toBe('a=mid:0\r\n');
    }
  });
  it('tries no loopback address for the page of another machine, unless there is nothing else', () => {
    const near = line('127.0.0.1') + line('::1');
    const far = line('192.0.2.7') + line('2001:db8::1');
    for (const host of ['alcove.example', '192.0.2.7', '[2001:db8::1]']) {
      expect(usableCandidates(near + far, host)).toBe(far);
      expect(usableCandidates(near, host)).toBe(near);
    }
    for (const host of ['localhost', 'alcove.localhost', '127.0.0.1', '[::1]']) {
      expect(usableCandidates(near + far, host)).toBe(near + far);
    }
  });
});
