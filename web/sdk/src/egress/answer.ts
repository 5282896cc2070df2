// The relay's answer before the browser sees it. It is written anew, line by line, from what is understood here:
// so the browser cannot find an address in it that was not compared with the manifest. An answer with any
// candidate outside the manifest is refused whole.

import { isLoopback, isUnspecified, parseAddress } from './address';
import { EgressError } from './error';
import type { RelayList } from './relays';

const kMaxAnswer = 1 << 18;

/** Attributes that are passed on as they are: none of them has an address. Others are left out. */
const kAttributes = new Set([
  ...['group', 'ice-lite', 'ice-options', 'ice-ufrag', 'ice-pwd', 'fingerprint', 'setup', 'mid'],
  ...['sendonly', 'recvonly', 'sendrecv', 'inactive', 'rtcp-mux', 'rtcp-rsize', 'rtpmap'],
  ...['rtcp-fb', 'fmtp', 'ssrc', 'ptime', 'maxptime', 'msid-semantic'],
]);

/** candidate:foundation component transport priority address port typ … (RFC 8839, section 5.1) */
const kCandidate =
  /^a=candidate:([A-Za-z0-9+/]{1,32}) (\d{1,3}) (\w{1,8}) (\d{1,10}) (\S+) (\d{1,5}) typ (\w+)((?: \S+ \S+)*)$/;

interface Line {
  text: string;
  isCandidate: boolean;
  /** A candidate of this machine. */
  isNear: boolean;
}

/**
 * What the browser may be given. Candidates of this machine go out where the page is another machine's and
 * there are others: every pair that cannot work delays the one that does.
 * @throws EgressError
 */
export function checkedAnswer(answer: string, relays: RelayList, pageHost: string): string {
  // Other line ends and control characters are read differently by different parsers.
  if (answer.length > kMaxAnswer || !/^(?:[\x20-\x7e]+\r?\n)*$/.test(answer)) {
    throw new EgressError('egress.malformed', 'SDP');
  }
  const reader = new AnswerReader(relays);
  const lines: Line[] = [];
  for (const text of answer.split(/\r?\n/).slice(0, -1)) {
    const line = reader.read(text);
    if (line !== null) lines.push(line);
  }
  const far = lines.filter(({ isNear }) => !isNear);
  const useFar = !isNearPage(pageHost) && far.some(({ isCandidate }) => isCandidate);
  return (useFar ? far : lines).map(({ text }) => `${text}\r\n`).join('');
}

/** A host as `location.hostname` writes it. */
function isNearPage(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const address = parseAddress(host.replace(/^\[(.*)\]$/, '$1'));
  return address !== null && isLoopback(address);
}

class AnswerReader {
  /** The port of the m-line that is being read; 0 before the first. */
  #port = 0;

  constructor(private readonly relays: RelayList) {}

  /** Null for a line that is left out. */
  read(text: string): Line | null {
    switch (text.slice(0, 2)) {
      case 'v=':
        return plain('v=0');
      case 't=':
        return plain('t=0 0');
      case 's=':
        return plain('s=-');
      case 'o=':
        return plain(this.#origin(text));
      case 'm=':
        return plain(this.#media(text));
      case 'c=':
        this.#connection(text.slice(2), this.#port);
        return plain('c=IN IP4 0.0.0.0');
      case 'a=':
        return this.#attribute(text);
    }
    if (!/^[a-z]=/.test(text) || /candidate/i.test(text)) throw malformed(text);
    return null;
  }

  #origin(text: string): string {
    const found = /^o=(\S+ \d+ \d+) (.+)$/.exec(text);
    if (found === null) throw malformed(text);
    this.#connection(found[2] ?? '', 0);
    return `o=${found[1] ?? ''} IN IP4 0.0.0.0`;
  }

  #media(text: string): string {
    const found = /^m=audio (\d{1,5}) (UDP\/TLS\/RTP\/SAVPF [\d ]+)$/.exec(text);
    if (found === null) throw malformed(text);
    this.#port = Number(found[1]);
    // The default candidate is that port at the address of c=. A rejected m-line keeps its 0.
    return `m=audio ${this.#port === 0 ? '0' : '9'} ${found[2] ?? ''}`;
  }

  /** "IN IP4 0.0.0.0": an address that nobody sends to, or a relay's with the m-line's port. */
  #connection(text: string, port: number): void {
    const [network, family, literal = '', more] = text.split(' ');
    if (network !== 'IN' || more !== undefined) throw malformed(text);
    const address = parseAddress(literal);
    if (address === null) throw new EgressError('egress.unlisted', literal);
    if (family !== (address.length === 8 ? 'IP4' : 'IP6')) throw malformed(text);
    if (isUnspecified(address) || isLoopback(address)) return;
    if (!this.relays.has(address, port, 'udp')) throw new EgressError('egress.unlisted', literal);
  }

  #attribute(text: string): Line | null {
    if (text.startsWith('a=candidate:')) return this.#candidate(text);
    const name = /^a=([a-z-]+)(?::|$)/.exec(text)?.[1] ?? '';
    if (name === 'rtcp') {
      const found = /^a=rtcp:(\d{1,5})(?: (.+))?$/.exec(text);
      if (found === null) throw malformed(text);
      if (found[2] !== undefined) this.#connection(found[2], Number(found[1]));
      return null;
    }
    if (text === 'a=end-of-candidates') return plain(text);
    // Such as remote-candidates, or a spelling that some parser might take.
    if (/candidate/i.test(text)) throw unlistedIn(text);
    return kAttributes.has(name) ? plain(text) : null;
  }

  #candidate(text: string): Line {
    const [, foundation, component, protocol, priority, literal, digits, type, more] =
      kCandidate.exec(text) ?? [];
    if (foundation === undefined || literal === undefined) throw unlistedIn(text);
    const address = parseAddress(literal);
    const port = Number(digits);
    const transport = protocol?.toLowerCase() ?? '';
    if (address === null || !this.relays.has(address, port, transport)) {
      throw new EgressError('egress.unlisted', literal);
    }
    // A relay's own addresses, to which TCP is opened from here.
    const passive = / tcptype (\w+)/.exec(more ?? '')?.[1] === 'passive';
    if (type !== 'host' || component !== '1' || passive !== (transport === 'tcp')) {
      throw malformed(text);
    }
    const end = passive ? ' tcptype passive' : '';
    return {
      text: `a=candidate:${foundation} 1 ${transport} ${priority ?? ''} ${literal} ${String(port)} typ host${end}`,
      isCandidate: true,
      isNear: isLoopback(address),
    };
  }
}

function plain(text: string): Line {
  return { text, isCandidate: false, isNear: false };
}

function malformed(text: string): EgressError {
  return new EgressError('egress.malformed', text);
}

/** Names the first thing in the line that looks like an address or a name. */
function unlistedIn(text: string): EgressError {
  const place = text.split(' ').find((word) => word.includes('.') || word.includes('::'));
  return place === undefined ? malformed(text) : new EgressError('egress.unlisted', place);
}
