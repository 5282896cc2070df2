// The offer tells no address at all: the relay learns ours from the checks. What the answer may say is
// ../egress/answer.ts's affair.

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
