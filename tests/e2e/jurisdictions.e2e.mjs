// Not one packet to where the manifest does not lead: a server that offers denied hosts in every way there is, both clients,
// and a count on the client's wire.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openChromium } from './lib/chromium.mjs';
import { joinAs, recordingFile, startRoomAs } from './lib/client.mjs';
import { bestCorrelation, envelopeOfFile } from './lib/envelope.mjs';
import { allowed, denied, makeWorld } from './lib/jurisdiction_world.mjs';
import { namespacesAllowed } from './lib/netns.mjs';
import { box, button, joinByLink } from './lib/people.mjs';
import { until } from './lib/processes.mjs';
import { startServer } from './lib/server.mjs';
import { speechFile } from './lib/speech.mjs';

const skip = namespacesAllowed() ? false : 'needs the right to make network namespaces (root)';
const [ownPort, hostilePort] = [8081, 8080];
const none = Object.fromEntries(denied.map((address) => [address, 0]));
const [deniedCountry, deniedOwner, realRange, deniedV6] = denied;
let world, server, house, host, link;

before(async () => {
  if (skip) return;
  world = await makeWorld({ 'talk.test': allowed.v4, 'elsewhere.test': deniedCountry, 'relay.denied.test': deniedCountry });
  server = await startServer({
    namespace: world.server, host: allowed.v4, port: ownPort,
    config: {
      http: { public_hosts: [ownPort, hostilePort].flatMap((port) => [`${allowed.v4}:${port}`, `talk.test:${port}=${allowed.v4}`]) },
      media: { public_addresses: [allowed.v4, allowed.v6] },
    },
  });
  house = await world.hostileHouse(hostilePort, ownPort);
  world.exec(world.server, 'node', '-e', `fetch(${JSON.stringify(`${server.origin}/v1/accounts`)}, {method: 'POST', headers: {'content-type': 'application/json'},
    body: JSON.stringify({username: 'host', password: 'correct horse battery'})}).then((r) => process.exit(r.ok ? 0 : 1))`);
  host = await startRoomAs(server.origin, {
    username: 'host', password: 'correct horse battery', title: 'Only where allowed', speak: speechFile('recorded'), loop: true, namespace: world.server,
  });
  link = host.link.replace(`:${ownPort}/`, `:${hostilePort}/`);
});
after(async () => {
  await host?.client.stop();
  await server?.stop();
  world?.remove();
});

const line = (address, transport = 'udp') => `a=candidate:77 1 ${transport} 2130706431 ${address} 7878 typ host${transport === 'tcp' ? ' tcptype passive' : ''}`;
const unlisted = /is not in its signed list\. Nothing was sent there/;

/** What the hostile house does; what each client says. `goesOn`: the client takes no notice, and hears. */
const cases = [
  ['a relay in a denied country', { candidate: line(deniedCountry) }, { status: 7, native: /203\.0\.113\.7:7878 \(UDP\) is not a relay/, web: unlisted }],
  ['a relay of a denied owner', { candidate: line(deniedOwner) }, { status: 7, native: /192\.0\.2\.7:7878/, web: unlisted }],
  ['a relay in a real denied range', { candidate: line(realRange) }, { status: 7, native: /114\.114\.114\.114:7878/, web: unlisted }],
  ['a relay over TCP', { candidate: line(deniedCountry, 'tcp') }, { status: 7, native: /203\.0\.113\.7:7878 \(TCP\)/, web: unlisted }],
  ['a relay over IPv6', { candidate: line(deniedV6) }, { status: 7, native: /\[2001:db8:c::7\]:7878/, web: unlisted }],
  ['a relay by its name', { candidate: line('relay.denied.test') }, { status: 7, native: /"relay\.denied\.test" is a name/, web: /Nothing was sent there/ }],
  ['a join that is redirected', { redirect: ['/join'] }, { status: 7, native: /sent us to http:\/\/203\.0\.113\.7:8080\/.*not followed/, web: /Nothing was sent there|cannot be reached|could not/i }],
  ['a manifest that is redirected', { redirect: ['/manifest'], candidate: line(deniedCountry) },
    { status: 7, native: /sent us to http:\/\/203\.0\.113\.7:8080\/.*not followed/, web: /signed list of places cannot be fetched/ }],
  ['a manifest of another key', { manifest: 'other-key', candidate: line(deniedCountry) },
    { status: 6, native: /WARNING: the room was begun under another key/, web: /shows another key than/ }],
  ['a manifest changed on its way', { manifest: 'changed', candidate: line(deniedCountry) },
    { status: 7, native: /cannot be trusted.*signature does not fit/s, web: /list of places is not valid/ }],
  ['an event connection that is redirected', { redirect: ['/v1/events'] },
    { status: 7, native: /sent us to http:\/\/203\.0\.113\.7:8080\/v1\/events, which is not followed/, web: /connection for events does not open/ }],
  ['ICE servers wherever there is room for them', { ice: true }, { goesOn: true }],
  ['a candidate on the event connection', { event: true }, { goesOn: true }],
];

async function nativeHears(name, extra = []) {
  const file = recordingFile(name);
  const listener = joinAs(link, { name: 'Nils', record: file, seconds: 10, namespace: world.client, extra });
  assert.equal(await listener.finished(), 0, listener.messages.join('\n'));
  const { correlation } = bestCorrelation(envelopeOfFile(speechFile('recorded')), envelopeOfFile(file), { seconds: 6 });
  console.log(`# ${name}: alcove-client ${correlation.toFixed(3)}`);
  assert.ok(correlation >= 0.9, `alcove-client heard with ${correlation.toFixed(3)}`);
}

async function chromium(t) {
  const secure = `--unsafely-treat-insecure-origin-as-secure=${new URL(link).origin}`;
  const browser = await openChromium({ namespace: world.client, granted: false, args: [secure] });
  t.after(() => browser.close());
  return browser;
}

async function chromiumHears(t, name) {
  const listener = await chromium(t);
  await joinByLink(listener.page, link, 'Listening Lee');
  await until('10 s of sound', async () => (await listener.heard()).frames.length > 1000, { timeout: 40000, every: 500 });
  const { correlation } = bestCorrelation(envelopeOfFile(speechFile('recorded')), (await listener.heard()).frames, { seconds: 6 });
  console.log(`# ${name}: Chromium ${correlation.toFixed(3)}`);
  assert.ok(correlation >= 0.9, `Chromium heard with ${correlation.toFixed(3)}`);
  await listener.close();
}

/** The packets to denied hosts during the story. */
async function leaksOf(story) {
  const begin = await world.leaks();
  await story();
  const end = await world.leaks();
  return Object.fromEntries(denied.map((address) => [address, end[address] - begin[address]]));
}

async function assertNoDeniedNames() {
  assert.deepEqual((await world.asked()).filter((name) => name.includes('denied')), [], 'a name was looked up that nobody had given');
}

test('the count sees what is sent, and the denied hosts answer', { skip, timeout: 60000 }, async () => {
  const probe = (address) => world.exec(world.client, 'python3', '-c', `
import socket
one = socket.socket(socket.${address.includes(':') ? 'AF_INET6' : 'AF_INET'}, socket.SOCK_DGRAM)
one.settimeout(5)
one.sendto(b"\\0\\1\\0\\0probe", ("${address}", 7878))
assert one.recv(100)[:2] == b"\\1\\1"`);
  const leaks = await leaksOf(async () => denied.forEach(probe));
  assert.deepEqual(leaks, Object.fromEntries(denied.map((address) => [address, 1])));
  world.exec(world.client, 'python3', '-c', `
import urllib.request
assert urllib.request.urlopen("http://elsewhere.test:8080/", timeout=5).read() == b"ok"`);
  assert.ok((await world.asked()).includes('elsewhere.test'));
});

test('an honest house is heard, and nothing goes elsewhere: alcove-client', { skip, timeout: 60000 }, async () => {
  await house.set({});
  const keys = join(mkdtempSync(join(tmpdir(), 'alcove-e2e-')), 'keys');
  assert.deepEqual(await leaksOf(() => nativeHears('honest', ['--tls-key-log', keys])), none);
  // The hop to the relay, for an audit: its one DTLS session (the house is on plain HTTP here).
  assert.match(readFileSync(keys, 'utf8'), /^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n$/i);
  assert.ok(await world.sentTo(allowed.v4) > 0);
});

test('an honest house is heard, and nothing goes elsewhere: Chromium', { skip, timeout: 90000 }, async (t) => {
  await house.set({});
  assert.deepEqual(await leaksOf(() => chromiumHears(t, 'honest')), none);
});

for (const [what, tampering, { status, native, web, goesOn }] of cases) {
  test(`${what}: alcove-client sends nothing there`, { skip, timeout: 60000 }, async () => {
    await house.set({ denied: deniedCountry, ...tampering });
    const leaks = await leaksOf(async () => {
      if (goesOn) return nativeHears(what.replaceAll(' ', '-'));
      const client = joinAs(link, { name: 'Nils', seconds: 8, namespace: world.client });
      assert.equal(await client.finished(), status, client.messages.join('\n'));
      const said = client.events.find((event) => event.event === 'error' && event.fatal)?.message ?? '';
      console.log(`# ${said}`);
      assert.match(said, native);
    });
    assert.deepEqual(leaks, none);
    await assertNoDeniedNames();
  });

  test(`${what}: Chromium sends nothing there`, { skip, timeout: 90000 }, async (t) => {
    await house.set({ denied: deniedCountry, ...tampering });
    const leaks = await leaksOf(async () => {
      if (goesOn) return chromiumHears(t, what);
      const { page } = await chromium(t);
      await page.goto(link);
      // Where the page refuses at once, there may be nothing to fill in.
      await box(page, 'Your name').fill('Listening Lee', { timeout: 5000 }).catch(() => {});
      await button(page, 'Join').click({ timeout: 5000 }).catch(() => {});
      await page.getByText(web).first().waitFor({ timeout: 20000 });
      await new Promise((resolve) => setTimeout(resolve, 2000));
    });
    assert.deepEqual(leaks, none);
    await assertNoDeniedNames();
  });
}

test("a name that leads to a denied host: the person's own policy stops the first packet", { skip, timeout: 60000 }, async () => {
  await house.set({});
  const policy = join(mkdtempSync(join(tmpdir(), 'alcove-e2e-')), 'policy.toml');
  writeFileSync(policy, '[addresses]\ndeny = ["203.0.113.0/24", "2001:db8:c::/48"]\n');
  const leaks = await leaksOf(async () => {
    const misled = link.replace(allowed.v4, 'elsewhere.test');
    const client = joinAs(misled, { name: 'Nils', seconds: 4, namespace: world.client, extra: ['--policy', policy] });
    assert.equal(await client.finished(), 7, client.messages.join('\n'));
    const said = client.events.find((event) => event.event === 'error' && event.fatal)?.message ?? '';
    console.log(`# ${said}`);
    assert.match(said, /Your own policy does not allow it: 203\.0\.113\.7 is denied/);
    // The same policy lets the allowed server be.
    const fine = joinAs(link.replace(allowed.v4, 'talk.test'), { name: 'Nora', seconds: 3, namespace: world.client, extra: ['--policy', policy] });
    assert.equal(await fine.finished(), 0, fine.messages.join('\n'));
  });
  assert.deepEqual(leaks, none);
});

test('without a policy the named server is contacted, denied or not: the counts could have failed', { skip, timeout: 60000 }, async () => {
  const leaks = await leaksOf(async () => {
    const client = joinAs(link.replace(allowed.v4, 'elsewhere.test'), { name: 'Nils', seconds: 3, namespace: world.client });
    assert.notEqual(await client.finished(), 0);
  });
  assert.ok(leaks[deniedCountry] > 0);
  assert.equal(leaks[deniedOwner] + leaks[realRange] + leaks[deniedV6], 0);
});
