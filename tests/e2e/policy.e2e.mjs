// `alcove policy`: what it says of addresses, in words and as JSON, and how it exits.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binDirectory, rootDirectory } from './lib/paths.mjs';

const folder = mkdtempSync(join(tmpdir(), 'alcove-policy-'));
const database = join(folder, 'test.mmdb');
const policyFile = join(folder, 'policy.toml');
const tables = join(rootDirectory, 'tests/support/geo');

function alcove(...args) {
  const environment = { ...process.env };
  for (const name of Object.keys(environment)) if (name.startsWith('ALCOVE_')) delete environment[name];
  const result = spawnSync(join(binDirectory, 'alcove'), ['policy', ...args], { encoding: 'utf8', env: environment });
  return { status: result.status, out: result.stdout, error: result.stderr };
}
const check = (...args) => alcove('check', '--policy', policyFile, '--database', database, ...args);
const convert = (output) =>
  alcove('convert', '--tables', tables, '--anycast', join(tables, 'anycast.csv'), '--date', '2026-06-17', '--output', output);

before(() => {
  writeFileSync(policyFile, 'unknown = "deny"\n[location]\ndeny = ["CN"]\n[owner]\ndeny = ["CN"]\n');
  const made = convert(database);
  assert.equal(made.status, 0, made.error);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('the same tables make the same database', () => {
  const again = join(folder, 'again.mmdb');
  assert.equal(convert(again).status, 0);
  assert.deepEqual(readFileSync(again), readFileSync(database));
});

test('tables with errors make none, and say where', () => {
  const bad = join(folder, 'bad.csv');
  writeFileSync(bad, '1.0.0.0,1.0.0.255,DE\n1.0.1.0,nowhere,DE\n');
  const result = alcove('convert', '--location', bad, '--output', join(folder, 'bad.mmdb'));
  assert.equal(result.status, 2);
  assert.match(result.error, /bad\.csv: line 2: /);
  assert.equal(alcove('convert', '--tables', folder, '--output', join(folder, 'none.mmdb')).status, 2);
});

test('an allowed address exits with 0, a denied one with 1, and both say why', () => {
  const allowed = check('198.51.100.7', '[2001:db8:de::7]:7878');
  assert.equal(allowed.status, 0, allowed.out + allowed.error);
  assert.match(allowed.out, /198\.51\.100\.7 is allowed: it is in Germany/);
  const denied = check('198.51.100.7', '192.0.2.7');
  assert.equal(denied.status, 1);
  assert.match(denied.out, /192\.0\.2\.7 is denied: it is in Germany, but its network AS64511 \(Example Global Backbone\) belongs to a company in China, and owner\.deny names CN\. Database test\.mmdb of 2026-06-17 \([0-9a-f]{12}…\)\./);
  assert.match(denied.out, /2 judged, 1 denied, 0 not judged/);
  assert.match(check('203.0.113.7', '--language', 'fr').out, /203\.0\.113\.7 est refusée : elle se trouve en Chine/);
});

test('as JSON', () => {
  const result = check('192.0.2.200', '64:ff9b::203.0.113.7', '--json');
  assert.equal(result.status, 1);
  const report = JSON.parse(result.out);
  assert.equal(report.denied, 2);
  assert.equal(report.database.date, '2026-06-17');
  assert.match(report.database.sha256, /^[0-9a-f]{64}$/);
  const [anycast, embedded] = report.judged;
  assert.equal(anycast.reason, 'anycast');
  assert.equal(anycast.owner, 'Example Anycast');
  assert.equal(embedded.asked, '64:ff9b::203.0.113.7');
  assert.equal(embedded.address, '203.0.113.7');
  assert.equal(embedded.reason, 'denied_country');
});

test('names are looked up when asked for, and never otherwise', () => {
  const not = check('localhost');
  assert.equal(not.status, 2);
  assert.match(not.out, /localhost: not an address/);
  const resolved = check('localhost', '--resolve');
  assert.equal(resolved.status, 0, resolved.out + resolved.error);
  assert.match(resolved.out, /127\.0\.0\.1 is allowed/);
});

test('--all judges every endpoint that the configuration would offer', () => {
  const set = (...settings) => settings.flatMap((setting) => ['--set', setting]);
  const fine = check('--all', ...set('media.public_addresses=198.51.100.7', 'http.trusted_proxy=198.51.100.8'));
  assert.equal(fine.status, 0, fine.out + fine.error);
  assert.match(fine.out, /relay udp 198\.51\.100\.7:7878: /);
  assert.match(fine.out, /relay tcp 198\.51\.100\.7:7878: /);
  assert.match(fine.out, /http 127\.0\.0\.1:8080: /);
  assert.match(fine.out, /trusted proxy 198\.51\.100\.8: /);
  const relay = check('--all', ...set('media.public_addresses=198.51.100.7,192.0.2.7'));
  assert.equal(relay.status, 1);
  assert.match(relay.out, /relay udp 192\.0\.2\.7:7878: 192\.0\.2\.7 is denied/);
  const proxy = check('--all', ...set('media.public_addresses=198.51.100.7', 'http.trusted_proxy=203.0.113.9'));
  assert.equal(proxy.status, 1);
  const house = check('--all', ...set('media.public_addresses=198.51.100.7', 'http.public_hosts=alcove.example=203.0.113.7'));
  assert.equal(house.status, 1);
  assert.match(house.out, /house alcove\.example 203\.0\.113\.7: /);
});

test('a policy with errors is not used', () => {
  const bad = join(folder, 'bad.toml');
  writeFileSync(bad, '[location]\ndenny = ["CN"]\n');
  const result = alcove('check', '198.51.100.7', '--policy', bad, '--database', database);
  assert.equal(result.status, 2);
  assert.match(result.error, /line 2: there is no key "location\.denny"/);
  assert.equal(alcove('check', '198.51.100.7', '--policy', join(folder, 'none.toml')).status, 2);
  assert.equal(alcove('check', '198.51.100.7', '--database', policyFile).status, 2);
  assert.equal(alcove('check').status, 2);
});

test('the policy in words', () => {
  const english = alcove('show', '--policy', policyFile);
  assert.equal(english.status, 0);
  assert.match(english.out, /Addresses in these countries are denied: China \(CN\)\./);
  assert.match(alcove('show', '--policy', policyFile, '--language', 'fr').out, /Chine \(CN\)/);
  assert.match(alcove('show').out, /all public addresses are allowed/);
});
