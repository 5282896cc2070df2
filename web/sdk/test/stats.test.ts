import { describe, expect, it } from 'vitest';
import { PathMonitor } from '../src/media/path_monitor';
import { diagnose, readStats } from '../src/media/stats';
import type { MediaSnapshot } from '../src/media/stats';

/** As Chromium tells it. */
const kReport = [
  { id: 'T', type: 'transport', dtlsState: 'connected', selectedCandidatePairId: 'P1' },
  {
    id: 'P1',
    type: 'candidate-pair',
    state: 'succeeded',
    localCandidateId: 'L',
    remoteCandidateId: 'R',
    requestsSent: 3,
    consentRequestsSent: 4,
    responsesReceived: 7,
    bytesReceived: 1000,
  },
  { id: 'P2', type: 'candidate-pair', state: 'failed', remoteCandidateId: 'R2' },
  { id: 'L', type: 'local-candidate', protocol: 'udp' },
  { id: 'R', type: 'remote-candidate', protocol: 'udp' },
  { id: 'R2', type: 'remote-candidate', protocol: 'tcp' },
  { id: 'I1', type: 'inbound-rtp', mid: '1', packetsReceived: 50, audioLevel: 0.2 },
  { id: 'I2', type: 'inbound-rtp', mid: '2', packetsReceived: 5 },
  { id: 'O', type: 'outbound-rtp', packetsSent: 12 },
];

function snapshot(more: Partial<MediaSnapshot> = {}): MediaSnapshot {
  return { ...readStats(kReport, ['1', '2', '3']), ...more };
}

describe('readStats', () => {
  it('reads a report', () => {
    expect(snapshot()).toEqual({
      dtlsState: 'connected',
      selectedPairId: 'P1',
      pairs: [
        {
          id: 'P1',
          protocol: 'udp',
          state: 'succeeded',
          responses: 7,
          requests: 7,
          bytesReceived: 1000,
        },
        {
          id: 'P2',
          protocol: 'tcp',
          state: 'failed',
          responses: null,
          requests: null,
          bytesReceived: 0,
        },
      ],
      slots: [
        { packets: 50, level: 0.2 },
        { packets: 5, level: null },
        { packets: 0, level: null },
      ],
      packetsReceived: 55,
      packetsSent: 12,
    });
  });

  it('reads what is not there as nothing', () => {
    expect(readStats([null, 3, {}, { type: 'inbound-rtp', packetsReceived: NaN }], [])).toEqual({
      dtlsState: '',
      selectedPairId: '',
      pairs: [],
      slots: [],
      packetsReceived: 0,
      packetsSent: 0,
    });
  });
});

describe('diagnose', () => {
  const fine = { welcomed: true, heard: true };

  it('finds nothing where all is well', () => {
    expect(diagnose({ snapshot: snapshot(), ...fine })).toBeNull();
  });

  it('names the first thing that failed', () => {
    const none = snapshot({ pairs: [], selectedPairId: '' });
    expect(diagnose({ snapshot: none, ...fine })).toBe('no-path');
    const failed = snapshot({ selectedPairId: '' });
    failed.pairs = failed.pairs.filter((pair) => pair.id === 'P2');
    expect(diagnose({ snapshot: failed, ...fine })).toBe('no-path');
    expect(diagnose({ snapshot: snapshot({ dtlsState: 'connecting' }), ...fine })).toBe('dtls');
    expect(diagnose({ snapshot: snapshot(), welcomed: false, heard: true })).toBe('admission');
    expect(diagnose({ snapshot: snapshot(), welcomed: true, heard: false })).toBe('admission');
    const quiet = snapshot({ packetsReceived: 0 });
    expect(diagnose({ snapshot: quiet, welcomed: true, heard: false })).toBe('quiet');
  });

  it('says that TCP carries it', () => {
    const tcp = snapshot();
    tcp.pairs = tcp.pairs.map((pair) =>
      pair.id === 'P1' ? { ...pair, state: 'failed' } : { ...pair, state: 'succeeded' },
    );
    tcp.selectedPairId = 'P2';
    expect(diagnose({ snapshot: tcp, ...fine })).toBe('tcp-only');
  });
});

describe('PathMonitor', () => {
  function at(packets: number, requests = 7, responses = 7): MediaSnapshot {
    const pair = { id: 'P1', protocol: 'udp', state: 'succeeded', bytesReceived: 0 } as const;
    return snapshot({ packetsReceived: packets, pairs: [{ ...pair, requests, responses }] });
  }

  it('asks when a flow stops, once', () => {
    const monitor = new PathMonitor();
    monitor.reset(0);
    let packets = 0;
    let now = 0;
    for (; now <= 2000; now += 200) expect(monitor.push(at((packets += 10)), now)).toBe('alive');
    const verdicts: string[] = [];
    for (const end = now + 6000; now < end; now += 200)
      verdicts.push(monitor.push(at(packets), now));
    expect(verdicts.filter((verdict) => verdict !== 'alive')).toEqual(['suspect']);
    // The first snapshot of silence is 200 ms after the last packet.
    expect(verdicts.indexOf('suspect')).toBe(2);
  });

  it('does not ask in a silent room', () => {
    const monitor = new PathMonitor();
    monitor.reset(0);
    for (let now = 0; now < 20_000; now += 200) {
      expect(monitor.push(at(Math.floor(now / 5000)), now)).toBe('alive');
    }
  });

  it('takes checks without an answer for a dead path', () => {
    const monitor = new PathMonitor();
    monitor.reset(0);
    monitor.push(at(0), 0);
    expect(monitor.push(at(0, 8), 200)).toBe('alive');
    expect(monitor.push(at(0, 8), 1000)).toBe('alive');
    expect(monitor.push(at(0, 8), 1200)).toBe('dead');
  });

  it('takes an answer in time for life', () => {
    const monitor = new PathMonitor();
    monitor.reset(0);
    monitor.push(at(0), 0);
    monitor.push(at(0, 8), 200);
    expect(monitor.push(at(0, 8, 8), 400)).toBe('alive');
    expect(monitor.push(at(0, 8, 8), 3000)).toBe('alive');
  });
});
