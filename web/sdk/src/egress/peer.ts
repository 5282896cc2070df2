// Peer connections: made here alone, with no ICE server whatever anybody says, and told of remote candidates
// here alone. Trickled candidates are in no message of ours: nothing calls addIceCandidate.

import type { VerifiedManifest } from '../manifest/verify';
import { parseAddress } from './address';
import { checkedAnswer } from './answer';
import { EgressError } from './error';
import type { RelayList } from './relays';

/** Without a manifest there is none. `encodedInsertableStreams`: for browsers without script transforms. */
export function openPeer(
  manifest: VerifiedManifest,
  encodedInsertableStreams: boolean,
): RTCPeerConnection {
  if (manifest.manifest.version !== 1) throw new EgressError('egress.malformed', 'manifest');
  const configuration: RTCConfiguration & { encodedInsertableStreams?: boolean } = {
    iceServers: [],
    bundlePolicy: 'max-bundle',
    rtcpMuxPolicy: 'require',
  };
  if (encodedInsertableStreams) configuration.encodedInsertableStreams = true;
  return new RTCPeerConnection(configuration);
}

/** Of an answer that checkedAnswer() has passed: the type is a reminder of it. */
export type CheckedAnswer = string & { readonly checked: unique symbol };

/** @throws EgressError */
export function checkAnswer(answer: string, manifest: VerifiedManifest): CheckedAnswer {
  return checkedAnswer(answer, manifest.relays, location.hostname) as CheckedAnswer;
}

export async function applyAnswer(pc: RTCPeerConnection, sdp: CheckedAnswer): Promise<void> {
  await pc.setRemoteDescription({ type: 'answer', sdp });
}

/**
 * A remote candidate that the browser learned by itself, in what getStats gives; null: there is none. Somebody
 * who knows the ICE credentials can send a check from another address, and the browser answers it. Our
 * relay never sends checks.
 */
export function strayRemote(stats: Iterable<unknown>, relays: RelayList): string | null {
  for (const entry of stats) {
    if (typeof entry !== 'object' || entry === null) continue;
    const { type, candidateType, address, port, protocol } = entry as Record<string, unknown>;
    if (type !== 'remote-candidate') continue;
    const literal = typeof address === 'string' ? address : '';
    if (candidateType === 'prflx') return literal === '' ? '?' : literal;
    const parsed = parseAddress(literal);
    if (parsed === null) continue;
    const transport = typeof protocol === 'string' ? protocol.toLowerCase() : '';
    if (!relays.has(parsed, Number(port), transport)) return literal;
  }
  return null;
}
