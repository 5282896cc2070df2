// Transit times of the relay's packet path, each beside the floor's in the same setting.
import { numberOption } from './lib/statistics.mjs';
import { runProgram, table, textOption } from './lib/programs.mjs';

const seconds = numberOption('--seconds', 10);
const json = process.argv.includes('--json');
const sizes = textOption('--listeners', '1000,5000').split(',').map(Number);
const more = textOption('--fanout', '').split(' ').filter(Boolean);

function measure(listeners, network) {
  const reader = network === 'loopback' ? { reader: true } : {};
  const sampled = network === 'loopback' ? { sampled: 16 } : {};
  const floor = runProgram('floor', { listeners, seconds, ...reader }, [], network);
  const relay = runProgram('fanout', { listeners, seconds, ...reader, ...sampled }, more, network);
  return {
    listeners, network: relay.network, floor_ms: floor.transit_ms, relay_ms: relay.transit_ms, arrival_ms: sampled.sampled ? relay.arrival_ms : null,
    cpu_ns_per_packet: { floor: floor.cpu_ns_per_packet, relay: relay.cpu_ns_per_packet },
    lost: relay.send_dropped + relay.receive_dropped + relay.relay_dropped,
  };
}

const results = ['own', 'loopback'].flatMap((network) => sizes.map((listeners) => measure(listeners, network)));
if (json) {
  console.log(JSON.stringify({ bench: 'latency', seconds, fanout_flags: more.join(' '), results }));
} else {
  const rows = [['ms', 'median', '95 %', '99 %', 'longest']];
  const row = (what, times) => rows.push([what, times.median, times.p95, times.p99, times.max]);
  for (const r of results) {
    row(`${r.network}, ${r.listeners} listeners: floor, woken to last send`, r.floor_ms);
    row('  relay, read to last send', r.relay_ms);
    if (r.arrival_ms) row('  speaker to listener', r.arrival_ms);
  }
  console.log(table(rows));
  const lost = results.reduce((sum, r) => sum + r.lost, 0);
  console.log(`lost in the relay: ${lost}; aims at 5000 listeners: 99 % below 8 ms on ifb, 25 ms on loopback`);
}
