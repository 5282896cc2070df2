// Reads what we need out of getStats, whose members differ between browsers: everything is optional.

export interface PairStats {
  id: string;
  protocol: 'udp' | 'tcp';
  state: string;
  /** Answers to our checks, those for consent included; null where the browser does not count them. */
  responses: number | null;
  requests: number | null;
  bytesReceived: number;
}

export interface MediaSnapshot {
  dtlsState: string;
  selectedPairId: string;
  pairs: PairStats[];
  /** By slot: packets received and the level of the decoded sound (0 to 1; null where not told). */
  slots: { packets: number; level: number | null }[];
  packetsReceived: number;
  packetsSent: number;
}

type Entry = Record<string, unknown>;

/** `midOfSlot[i]` is the mid of slot i's transceiver. */
export function readStats(report: Iterable<unknown>, midOfSlot: (string | null)[]): MediaSnapshot {
  const entries = new Map<string, Entry>();
  for (const value of report) {
    if (typeof value === 'object' && value !== null) {
      const entry = value as Entry;
      entries.set(text(entry['id']), entry);
    }
  }
  const snapshot: MediaSnapshot = {
    dtlsState: '',
    selectedPairId: '',
    pairs: [],
    slots: midOfSlot.map(() => ({ packets: 0, level: null })),
    packetsReceived: 0,
    packetsSent: 0,
  };
  for (const entry of entries.values()) addEntry(snapshot, entry, entries, midOfSlot);
  return snapshot;
}

function addEntry(
  snapshot: MediaSnapshot,
  entry: Entry,
  entries: Map<string, Entry>,
  midOfSlot: (string | null)[],
): void {
  switch (entry['type']) {
    case 'transport':
      snapshot.dtlsState = text(entry['dtlsState']);
      snapshot.selectedPairId = text(entry['selectedCandidatePairId']) || snapshot.selectedPairId;
      break;
    case 'candidate-pair':
      snapshot.pairs.push(readPair(entry, entries));
      // Firefox says it on the pair instead.
      if (entry['selected'] === true) snapshot.selectedPairId = text(entry['id']);
      break;
    case 'inbound-rtp': {
      const packets = count(entry['packetsReceived']) ?? 0;
      snapshot.packetsReceived += packets;
      const slot = snapshot.slots[midOfSlot.indexOf(text(entry['mid']))];
      // Where a slot's SSRC was replaced there may be two entries: the livelier one counts.
      if (slot !== undefined && packets >= slot.packets) {
        slot.packets = packets;
        slot.level = count(entry['audioLevel']);
      }
      break;
    }
    case 'outbound-rtp':
      snapshot.packetsSent += count(entry['packetsSent']) ?? 0;
      break;
  }
}

function readPair(entry: Entry, entries: Map<string, Entry>): PairStats {
  const local = entries.get(text(entry['localCandidateId']));
  const remote = entries.get(text(entry['remoteCandidateId']));
  const protocol = text(remote?.['protocol']) || text(local?.['protocol']);
  const responses = count(entry['responsesReceived']);
  const requests = count(entry['requestsSent']);
  return {
    id: text(entry['id']),
    protocol: protocol.toLowerCase() === 'tcp' ? 'tcp' : 'udp',
    state: text(entry['state']),
    responses,
    // Chromium counts the checks for consent on their own.
    requests: requests === null ? null : requests + (count(entry['consentRequestsSent']) ?? 0),
    bytesReceived: count(entry['bytesReceived']) ?? 0,
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export type Diagnosis =
  /** Neither UDP nor TCP to the media port gets through. */
  | 'no-path'
  /** UDP does not get through, TCP does: there is sound, with more delay. */
  | 'tcp-only'
  | 'dtls'
  /** The path is there, but the server did not let this join in. */
  | 'admission'
  /** Everything works; nobody says anything. */
  | 'quiet';

export interface DiagnosisInput {
  snapshot: MediaSnapshot;
  /** The WebSocket's Welcome came. */
  welcomed: boolean;
  /** A frame was received and opened. */
  heard: boolean;
}

/** What stands between a member and the sound, in the order in which a connection is made; null: nothing. */
export function diagnose({ snapshot, welcomed, heard }: DiagnosisInput): Diagnosis | null {
  const works = (pair: PairStats) =>
    pair.state === 'succeeded' || pair.id === snapshot.selectedPairId || (pair.responses ?? 0) > 0;
  const working = snapshot.pairs.filter(works);
  if (working.length === 0) return 'no-path';
  if (snapshot.dtlsState !== '' && snapshot.dtlsState !== 'connected') return 'dtls';
  if (!welcomed) return 'admission';
  const selected = working.filter((pair) => pair.id === snapshot.selectedPairId);
  const used = selected.length > 0 ? selected : working;
  if (used.every((pair) => pair.protocol === 'tcp')) return 'tcp-only';
  if (heard) return null;
  // Packets arrive and none of them opens: we are not admitted to what is said.
  return snapshot.packetsReceived > 0 ? 'admission' : 'quiet';
}
