// Floor and fan-out in turns, since the machine's speed drifts: each round gives a ratio, and the median of the
// rounds counts. Within a round the floor runs before and after the relay, and the mean of both is taken.
import { numberOption } from './lib/statistics.mjs';
import { runProgram, spread, table, textOption } from './lib/programs.mjs';

const rounds = numberOption('--rounds', 5);
const seconds = numberOption('--seconds', 3);
const json = process.argv.includes('--json');
const only = textOption('--only', 'floor,speakers,growth').split(',');
const more = textOption('--fanout', '').split(' ').filter(Boolean);
const sizes = textOption('--listeners', '1000,5000').split(',').map(Number);
const reader = process.argv.includes('--loopback') ? { reader: true } : {};

const say = (text) => json || process.stderr.write(`${text}\n`);
const floor = (flags) => runProgram('floor', { seconds, ...reader, ...flags });
const fanout = (flags) => runProgram('fanout', { seconds, ...reader, ...flags }, more);
const cost = (run) => run.cpu_ns_per_packet;
const mean = (...values) => values.reduce((a, b) => a + b, 0) / values.length;

/** What may not go unseen in a figure: packets that were counted but not sent. */
function lost(run) {
  return run.send_dropped + run.receive_dropped + run.relay_dropped;
}

function compareWithFloor(listeners) {
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const before = floor({ listeners });
    const relay = fanout({ listeners });
    const after = floor({ listeners });
    const whole = floor({ listeners, df: true });
    const naive = floor({ listeners, seal: 'openssl', send: 'sendmsg' });
    const base = mean(cost(before), cost(after));
    results.push({ floor: base, floorDf: cost(whole), floorTransit: before.transit_ms, relay: cost(relay), naive: cost(naive), lost: lost(relay), transit: relay.transit_ms, resident: relay.resident_per_listener, end: relay.resident_end });
    say(`${listeners} listeners, round ${round + 1}: floor ${base.toFixed(0)}, relay ${cost(relay).toFixed(0)}, naive ${cost(naive).toFixed(0)} ns`);
  }
  const each = (pick, digits) => spread(results.map(pick), digits);
  return {
    listeners, floor_ns: each((r) => r.floor, 0), floor_df_ns: each((r) => r.floorDf, 0), relay_ns: each((r) => r.relay, 0), naive_ns: each((r) => r.naive, 0),
    relay_over_floor: each((r) => r.relay / r.floor), naive_over_relay: each((r) => r.naive / r.relay), naive_over_floor: each((r) => r.naive / r.floor),
    relay_over_floor_df: each((r) => r.relay / r.floorDf), floor_transit_p99_ms: each((r) => r.floorTransit.p99), resident_end: each((r) => r.end, 0),
    transit_p99_ms: each((r) => r.transit.p99), transit_median_ms: each((r) => r.transit.median),
    resident_per_listener: each((r) => r.resident, 0), lost: results.reduce((sum, r) => sum + r.lost, 0),
  };
}

/** Other phases in each round: how much of three speakers falls into one tick depends on them. */
function compareSpeakers(listeners) {
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const seed = round + 1;
    const one = fanout({ listeners });
    const three = fanout({ listeners, speakers: 3, seed });
    const gso = floor({ listeners, speakers: 3, seed, send: 'gso' });
    results.push({ one: cost(one), three: cost(three), gso: cost(gso), lost: lost(one) + lost(three), transit: three.transit_ms });
    say(`${listeners} listeners, phases ${seed}: 1 speaker ${cost(one).toFixed(0)}, 3 speakers ${cost(three).toFixed(0)}, floor with GSO ${cost(gso).toFixed(0)} ns`);
  }
  return {
    listeners, one_ns: spread(results.map((r) => r.one), 0), three_ns: spread(results.map((r) => r.three), 0), floor_gso_ns: spread(results.map((r) => r.gso), 0),
    three_over_one: spread(results.map((r) => r.three / r.one)), three_over_floor_gso: spread(results.map((r) => r.three / r.gso)),
    transit_p99_ms: spread(results.map((r) => r.transit.p99)), lost: results.reduce((sum, r) => sum + r.lost, 0),
  };
}

function compareGrowth() {
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const costs = [500, 1000, 2500, 5000].map((listeners) => cost(fanout({ listeners })));
    results.push(costs);
    say(`500, 1000, 2500, 5000 listeners, round ${round + 1}: ${costs.map((c) => c.toFixed(0)).join(', ')} ns`);
  }
  return {
    listeners: [500, 1000, 2500, 5000], relay_ns: [0, 1, 2, 3].map((at) => spread(results.map((r) => r[at]), 0)),
    many_over_few: spread(results.map((r) => r[3] / r[0])),
  };
}

const report = { bench: 'compare', rounds, seconds, network: floor({ listeners: 10, seconds: 0.1 }).network, fanout_flags: more.join(' ') };
if (only.includes('floor')) report.floor = sizes.map(compareWithFloor);
if (only.includes('speakers')) report.speakers = compareSpeakers(1000);
const [few, many] = [report.floor?.find((r) => r.listeners === 1000), report.floor?.find((r) => r.listeners === 5000)];
// With what sending needs, after a run; the figure of one run alone is from before it.
if (few && many) report.resident_per_listener_after_run = Math.round((many.resident_end.median - few.resident_end.median) / 4000);
if (only.includes('growth')) report.growth = compareGrowth();

function print() {
  const row = (what, value, aim) => [what, value.median, value.min, value.max, aim];
  const rows = [['', 'median', 'least', 'most', 'aim']];
  for (const r of report.floor ?? []) {
    rows.push(row(`${r.listeners} listeners: floor, ns a packet`, r.floor_ns, ''), row('  relay, ns a packet', r.relay_ns, ''), row('  naive, ns a packet', r.naive_ns, ''));
    rows.push(row('  relay over floor', r.relay_over_floor, '<= 1.25'), row('  naive over relay', r.naive_over_relay, '>= 3.5'), row('  naive over floor', r.naive_over_floor, ''));
    rows.push(row('  relay over a floor with DF set', r.relay_over_floor_df, ''));
    rows.push(row('  transit, 99th percentile, ms', r.transit_p99_ms, '<= 8'), row('  the floor\'s, ms', r.floor_transit_p99_ms, ''));
    if (r.resident_per_listener.median) rows.push(row('  resident bytes a listener', r.resident_per_listener, '<= 8192'));
  }
  if (report.resident_per_listener_after_run) rows.push(['resident bytes a listener, after a run', report.resident_per_listener_after_run, '', '', '<= 8192']);
  if (report.speakers) rows.push(row('3 speakers over 1, a packet', report.speakers.three_over_one, '<= 0.7'), row('  over the floor with GSO', report.speakers.three_over_floor_gso, ''));
  if (report.growth) rows.push(row('5000 over 500 listeners, a packet', report.growth.many_over_few, '<= 1'));
  console.log(`${report.rounds} rounds of ${report.seconds} s on ${report.network}\n${table(rows)}`);
}

if (json) console.log(JSON.stringify(report));
else print();
