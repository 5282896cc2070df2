import { beforeAll, describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/egress/address';
import { checkedAnswer } from '../../src/egress/answer';
import { EgressError } from '../../src/egress/error';
import type { RelayList } from '../../src/egress/relays';
import { verifyManifest } from '../../src/manifest/verify';
import { signManifest, verify } from '../manifest/signing';

let relays: RelayList;
beforeAll(async () => {
  relays = (await verifyManifest(signManifest(), verify)).relays;
});

const kUdp = 'a=candidate:1 1 udp 2130706431 198.51.100.8 7878 typ host';
const kTcp = 'a=candidate:3 1 tcp 1671430143 198.51.100.8 7878 typ host tcptype passive';
const kIpv6 = 'a=candidate:2 1 udp 2130706175 2001:db8:de::8 7879 typ host';
const kAnswer = [
  'v=0',
  'o=- 4611 2 IN IP4 0.0.0.0',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=ice-lite',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  'a=rtcp-mux',
  'a=mid:0',
  'a=recvonly',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 nack',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789012345678901',
  'a=fingerprint:sha-256 AA:BB',
  'a=setup:passive',
  kUdp,
  kIpv6,
  kTcp,
  'a=end-of-candidates',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  'a=mid:1',
  'a=sendonly',
  'a=ssrc:1234 cname:x',
];
const sdpOf = (lines: readonly string[], end = '\r\n') => lines.map((line) => line + end).join('');
const check = (answer: string, host = 'alcove.example') => checkedAnswer(answer, relays, host);
const withLine = (line: string, at: number) => sdpOf(kAnswer.toSpliced(at, 0, line));

function refusal(answer: string): EgressError | null {
  try {
    check(answer);
    return null;
  } catch (thrown) {
    if (thrown instanceof EgressError) return thrown;
    throw thrown;
  }
}

/** Before the media, in the first m-line's, in the second one's, and at the end. */
const kPlaces = [5, 8, 18, 24, kAnswer.length];

describe('checkedAnswer', () => {
  it('lets the relay’s own answer through as it is', () => {
    expect(check(sdpOf(kAnswer))).toBe(sdpOf(kAnswer));
    expect(check(sdpOf(kAnswer, '\n'))).toBe(sdpOf(kAnswer));
  });

  it('refuses an answer whole for one candidate that is not listed, and names it', () => {
    for (const [line, place] of [
      ['a=candidate:9 1 udp 1 203.0.113.7 7878 typ host', '203.0.113.7'],
      ['a=candidate:9 1 udp 1 198.51.100.8 7880 typ host', '198.51.100.8'],
      ['a=candidate:9 1 tcp 1 198.51.100.8 7879 typ host tcptype passive', '198.51.100.8'],
      ['a=candidate:9 1 udp 1 198.51.100.7 443 typ host', '198.51.100.7'],
      ['a=candidate:9 1 udp 1 2001:db8:c::7 7878 typ host', '2001:db8:c::7'],
      ['a=candidate:9 1 udp 1 relay.example 7878 typ host', 'relay.example'],
      ['a=candidate:9 1 udp 1 7f3c-11.local 7878 typ host', '7f3c-11.local'],
      ['a=candidate:9 1 udp 1 ::ffff:198.51.100.8 7878 typ host', '::ffff:198.51.100.8'],
      ['a=candidate:9 1 udp 1 0306.063.0144.010 7878 typ host', '0306.063.0144.010'],
      ['a=remote-candidates:1 203.0.113.7 7878', '203.0.113.7'],
      ['a=remote-candidates:1 198.51.100.8 7878', '198.51.100.8'],
      ['a=Candidate:9 1 udp 1 203.0.113.7 7878 typ host', '203.0.113.7'],
      ['a=candidate 9 1 udp 1 203.0.113.7 7878 typ host', '203.0.113.7'],
      ['a=x-candidate:9 1 udp 1 203.0.113.7 7878 typ host', '203.0.113.7'],
      ['a=candidate:9 1 udp 1 203.0.113.7 7878', '203.0.113.7'],
      ['c=IN IP4 203.0.113.7', '203.0.113.7'],
      ['c=IN IP6 2001:db8:c::7', '2001:db8:c::7'],
      ['c=IN IP4 relay.example', 'relay.example'],
      ['c=IN IP4 203.0.113.7/127', '203.0.113.7/127'],
      ['o=- 1 2 IN IP4 203.0.113.7', '203.0.113.7'],
      ['a=rtcp:7878 IN IP4 203.0.113.7', '203.0.113.7'],
    ] as const) {
      for (const at of kPlaces) {
        expect(refusal(withLine(line, at)), `${line} at ${String(at)}`).toMatchObject({
          reason: 'egress.unlisted',
          values: { address: place },
        });
      }
    }
  });

  it('refuses what it does not understand of candidates, lines and line ends', () => {
    for (const line of [
      'a=candidate:9 1 udp 1 198.51.100.8 7878 typ srflx raddr 203.0.113.7 rport 9',
      'a=candidate:9 2 udp 1 198.51.100.8 7878 typ host',
      'a=candidate:9 1 tcp 1 198.51.100.8 7878 typ host',
      'a=candidate:9 1 tcp 1 198.51.100.8 7878 typ host tcptype active',
      'a=candidate:9 1 udp 1 198.51.100.8 7878 typ host tcptype passive',
      ' a=candidate:9 1 udp 1 203.0.113.7 7878 typ host',
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
      'm=audio 9/2 UDP/TLS/RTP/SAVPF 111',
      'm=audio 9 RTP/AVP 0',
      'A=candidate:9 1 udp 1 203.0.113.7 7878 typ host',
      'i=a=candidate',
      'c=IN IP6 198.51.100.8',
      'nonsense',
    ]) {
      expect(refusal(withLine(line, 18)), line).toBeInstanceOf(EgressError);
    }
    const hidden = 'a=candidate:9 1 udp 1 203.0.113.7 7878 typ host';
    for (const glue of ['\r', '\0', '\u2028', '\u0085', '\v', '\f', '\t', '\r\r\n', '\n\n', 'é']) {
      const answer = sdpOf(kAnswer).replace('a=mid:1\r\n', `a=mid:1${glue}${hidden}\r\n`);
      expect(refusal(answer), JSON.stringify(glue)).toBeInstanceOf(EgressError);
    }
    expect(refusal(sdpOf(kAnswer) + hidden)).toBeInstanceOf(EgressError);
    expect(refusal('a=mid:0\r\n'.repeat(40_000))).toBeInstanceOf(EgressError);
  });

  it('takes default candidates away: the port of an m-line and the address of c=', () => {
    const listed = kAnswer
      .with(6, 'm=audio 7878 UDP/TLS/RTP/SAVPF 111')
      .with(7, 'c=IN IP4 198.51.100.8');
    expect(check(sdpOf(listed))).toBe(sdpOf(kAnswer));
    const otherPort = listed.with(6, 'm=audio 7000 UDP/TLS/RTP/SAVPF 111');
    expect(refusal(sdpOf(otherPort))).toMatchObject({ reason: 'egress.unlisted' });
    const session = kAnswer.toSpliced(4, 0, 'c=IN IP4 198.51.100.8');
    expect(refusal(sdpOf(session))).toMatchObject({ reason: 'egress.unlisted' });
    const rejected = kAnswer.with(6, 'm=audio 0 UDP/TLS/RTP/SAVPF 111');
    expect(check(sdpOf(rejected))).toBe(sdpOf(rejected));
  });

  it('leaves out what has no use here, extensions of a candidate too', () => {
    const noise = kAnswer
      .toSpliced(8, 0, 'a=rtcp:9 IN IP4 0.0.0.0', 'a=altc:1 IP4 203.0.113.7 7878', 'u=http://x/')
      .map((line) => (line === kUdp ? `${line} generation 0 network-id 3` : line));
    expect(check(sdpOf(noise))).toBe(sdpOf(kAnswer));
  });

  it('tries no loopback address for the page of another machine, unless there is nothing else', () => {
    const near = 'a=candidate:4 1 udp 1 127.0.0.1 7878 typ host';
    const both = sdpOf(kAnswer.toSpliced(18, 0, near));
    for (const host of ['alcove.example', '192.0.2.7', '[2001:db8::1]']) {
      expect(check(both, host)).toBe(sdpOf(kAnswer));
      expect(check(sdpOf([near]), host)).toBe(sdpOf([near]));
    }
    for (const host of ['localhost', 'alcove.localhost', '127.0.0.1', '[::1]']) {
      expect(check(both, host)).toBe(both);
    }
  });
});

/** What any browser could take for a place to send to: read as loosely as can be. */
function* placesIn(sdp: string): Generator<[string, number]> {
  let port = 0;
  let address = '';
  for (const line of sdp.split(/[\r\n\u2028\u2029\u0085\v\f\0]+/)) {
    const media = /^\s*m\s*=\s*\S+\s+(\d+)/i.exec(line);
    if (media !== null) port = Number(media[1]);
    const connection = /^\s*[co]\s*=.*\bIN\s+IP[46]\s+(\S+)/i.exec(line);
    if (connection !== null) address = (connection[1] ?? '').split('/')[0] ?? '';
    if (connection !== null) yield [address, port];
    if (/candidate/i.test(line) && !/end-of-candidates/i.test(line)) {
      const words = line.trim().split(/\s+/);
      for (const [at, word] of words.entries()) {
        if (/^\d+$/.test(words[at + 1] ?? '') && /[.:]/.test(word) && !word.startsWith('a=')) {
          yield [word, Number(words[at + 1])];
        }
      }
    }
  }
}

describe('answers that were changed at random', () => {
  it('name no place outside the manifest, however they are read', () => {
    let state = 12345;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const pick = <T>(from: readonly T[]) => from[random(from.length)] as T;
    const addresses = [
      '203.0.113.7',
      '198.51.100.8',
      'evil.example',
      '2001:db8:c::7',
      '::1',
      '0.0.0.0',
    ];
    const glue = ['\r\n', '\n', '\r', ' ', '\t', '\0', '\u2028', ''];
    const pieces = () =>
      pick([
        `a=candidate:${String(random(99))} 1 ${pick(['udp', 'tcp', 'UDP'])} 1 ${pick(addresses)} ${String(pick([7878, 7879, 1]))} typ ${pick(['host', 'srflx', 'relay'])}`,
        `c=IN IP${pick(['4', '6'])} ${pick(addresses)}`,
        `m=audio ${String(pick([9, 7878, 0]))} UDP/TLS/RTP/SAVPF 111`,
        `a=rtcp:${String(pick([9, 7878]))} IN IP4 ${pick(addresses)}`,
        `a=remote-candidates:1 ${pick(addresses)} 7878`,
        `o=- 1 2 IN IP4 ${pick(addresses)}`,
        pick(kAnswer),
      ]);
    let passed = 0;
    for (let round = 0; round < 20_000; ++round) {
      let lines = [...kAnswer];
      for (let change = 0; change <= random(3); ++change) {
        const at = random(lines.length);
        const line = lines[at] ?? '';
        const cut = random(line.length + 1);
        lines = pick([
          () => lines.toSpliced(at, 0, pieces()),
          () => lines.toSpliced(at, 1),
          () => lines.with(at, line.slice(0, cut) + pick(glue) + line.slice(cut)),
          () => lines.with(at, line.slice(0, cut) + pick(glue) + pieces()),
          () => lines.with(at, line.replace('198.51.100.8', pick(addresses))),
          () => lines.with(at, line.toUpperCase()),
        ])();
      }
      const answer = sdpOf(lines, pick(['\r\n', '\n']));
      let given: string;
      try {
        given = check(answer);
      } catch (thrown) {
        if (!(thrown instanceof EgressError)) throw thrown;
        continue;
      }
      passed += 1;
      for (const [place, port] of placesIn(given)) {
        const address = parseAddress(place);
        const isListed =
          address !== null &&
          (/^0+$/.test(address) ||
            relays.has(address, port, 'udp') ||
            relays.has(address, port, 'tcp'));
        expect(isListed, `${place} ${String(port)} in\n${given}\nof\n${answer}`).toBe(true);
      }
    }
    // Most changes are refused, and the test is of use only while some are not.
    expect(passed).toBeGreaterThan(500);
  });
});
