// What we change in SDP: nothing but candidates. The offer tells no address at all (the relay learns ours
// from the checks), and of the answer only candidates with literal addresses are used, so that no name is
// ever looked up for it.

/** The offer without candidates and without addresses in c= lines. Line ends are kept. */
export function stripCandidates(sdp: string): string {
  return sdp
    .split(/(?<=\n)/)
    .filter((line) => !/^a=(candidate|end-of-candidates|remote-candidates)/.test(line))
    .map((line) =>
      line
        .replace(/^c=IN IP[46] \S+/, 'c=IN IP4 0.0.0.0')
        .replace(/^m=audio \d+ /, 'm=audio 9 ')
        .replace(/^a=rtcp:\d+ IN IP[46] \S+/, 'a=rtcp:9 IN IP4 0.0.0.0'),
    )
    .join('');
}

/**
 * The answer with only those candidates whose address is an IPv4 or IPv6 literal, and, where the page is
 * another machine's, without loopback addresses: those would be this machine's own, and every pair that
 * cannot work delays the one that does. They stay where there is nothing else.
 */
export function usableCandidates(sdp: string, pageHost: string): string {
  const lines = sdp
    .split(/(?<=\n)/)
    .filter((line) => !isCandidate(line) || isLiteral(candidateAddress(line)));
  if (isLoopback(pageHost)) return lines.join('');
  const far = lines.filter((line) => !isCandidate(line) || !isLoopback(candidateAddress(line)));
  return (far.some(isCandidate) ? far : lines).join('');
}

const isCandidate = (line: string): boolean => line.startsWith('a=candidate:');

/** candidate:foundation component transport priority address port typ … (RFC 8839, section 5.1) */
const candidateAddress = (line: string): string => line.trim().split(' ')[4] ?? '';

const isLiteral = (address: string): boolean => isIpv4(address) || isIpv6(address);

/** Of an address, or of a host as `location.hostname` writes it. */
function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  if (host === '::1' || host === '[::1]') return true;
  return isIpv4(host) && host.startsWith('127.');
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}

function isIpv6(text: string): boolean {
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(':')) return false;
  try {
    // The URL parser knows all forms of RFC 4291, the shortened and the mixed ones too.
    return new URL(`http://[${text}]/`).hostname.startsWith('[');
  } catch {
    return false;
  }
}
