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

/** The answer with only those candidates whose address is an IPv4 or IPv6 literal. */
export function keepLiteralCandidates(sdp: string): string {
  return sdp
    .split(/(?<=\n)/)
    .filter((line) => !line.startsWith('a=candidate:') || hasLiteralAddress(line))
    .join('');
}

function hasLiteralAddress(line: string): boolean {
  // candidate:foundation component transport priority address port typ …
  const address = line.trim().split(' ')[4] ?? '';
  return isIpv4(address) || isIpv6(address);
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
