// A world for audits: a server with TLS in an allowed country and a client beside it, each a network namespace with
// addresses of tests/support/geo, and a capture of everything that the client's only wire carries.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binDirectory, outDirectory, rootDirectory } from './paths.mjs';
import { inNamespace, lines, start, stop, until } from './processes.mjs';
import { startServer } from './server.mjs';

const run = (program, ...args) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

export const host = 'alcove.test';
/** Where the leaky app talks to; all of them end in the server's namespace. */
export const elsewhere = { deniedCountry: '203.0.113.10', deniedOwner: '192.0.2.10', anycast: '192.0.2.140', plainHouse: '198.51.100.80' };
const addresses = {
  server: ['198.51.100.10/24', '2001:db8:de::10/64'],
  client: ['198.51.100.50/24', '2001:db8:de::50/64'],
};

/** An authority and a certificate for the host, as a small organisation would have them. */
function makeCertificate(directory) {
  const file = (name) => join(directory, name);
  writeFileSync(file('extensions'), `subjectAltName=DNS:${host},IP:198.51.100.10\n`);
  run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30', '-subj', '/CN=Test Authority',
    '-keyout', file('ca.key'), '-out', file('ca.pem'));
  run('openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${host}`, '-keyout', file('server.key'), '-out', file('server.csr'));
  run('openssl', 'x509', '-req', '-in', file('server.csr'), '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '30',
    '-extfile', file('extensions'), '-out', file('server.pem'));
  return { authority: file('ca.pem'), certificate: file('server.pem'), key: file('server.key') };
}

/** The database of tests/support/geo, as .mmdb. */
export function makeGeoDatabase(directory) {
  const file = join(directory, 'geo.mmdb');
  const tables = join(rootDirectory, 'tests/support/geo');
  run(join(binDirectory, 'alcove'), 'policy', 'convert', '--tables', tables, '--anycast', join(tables, 'anycast.csv'), '--date', '2026-11-01', '--output', file);
  return file;
}

export const policyText = `# Nothing in, and nothing of, one country.
unknown = "deny"

[location]
deny = ["CN"]

[owner]
deny = ["CN"]
`;

export async function makeAuditWorld() {
  const directory = mkdtempSync(join(tmpdir(), 'alcove-audit-'));
  const tag = `${process.pid}-${Math.random().toString(36).slice(2, 5)}`;
  const names = { server: `alcove-as-${tag}`, client: `alcove-ac-${tag}` };
  const remove = () => {
    for (const name of Object.values(names)) {
      try {
        run('ip', 'netns', 'delete', name);
      } catch {
        // Gone already.
      }
      rmSync(`/etc/netns/${name}`, { recursive: true, force: true });
    }
    rmSync(directory, { recursive: true, force: true });
  };
  process.on('exit', remove);
  for (const name of Object.values(names)) {
    run('ip', 'netns', 'add', name);
    // No resolver: a name that is not in this file is a query on the wire.
    mkdirSync(`/etc/netns/${name}`, { recursive: true });
    writeFileSync(`/etc/netns/${name}/hosts`, `127.0.0.1 localhost\n198.51.100.10 ${host}\n`);
    writeFileSync(`/etc/netns/${name}/resolv.conf`, `nameserver ${elsewhere.plainHouse}\n`);
  }
  run('ip', 'link', 'add', 'wire', 'netns', names.server, 'type', 'veth', 'peer', 'name', 'wire', 'netns', names.client);
  for (const [side, list] of Object.entries(addresses)) {
    run('ip', '-n', names[side], 'link', 'set', 'lo', 'up');
    run('ip', '-n', names[side], 'link', 'set', 'wire', 'up');
    run('ip', 'netns', 'exec', names[side], 'ethtool', '-K', 'wire', 'tx', 'off', 'tso', 'off', 'gso', 'off', 'gro', 'off');
    for (const address of list) run('ip', '-n', names[side], 'addr', 'add', address, 'dev', 'wire', ...(address.includes(':') ? ['nodad'] : []));
  }
  for (const address of Object.values(elsewhere)) run('ip', '-n', names.server, 'addr', 'add', `${address}/32`, 'dev', 'lo');
  run('ip', '-n', names.client, 'route', 'add', 'default', 'via', '198.51.100.10');
  const files = makeCertificate(directory);
  const policy = join(directory, 'policy.toml');
  writeFileSync(policy, policyText);
  const database = makeGeoDatabase(directory);
  const server = await startServer({
    namespace: names.server, host: '198.51.100.10', name: host, port: 443,
    config: {
      http: { certificate: files.certificate, key: files.key, public_hosts: [host], allow_plain: false },
      // The addresses that stand for the rest of the world end on this host, too; its own are these.
      media: { public_addresses: addresses.server.map((address) => address.replace(/\/.*/, '')) },
      policy: { file: policy, databases: [database] },
    },
  });
  return {
    names, directory, policy, database, server, authority: files.authority, origin: `https://${host}`,
    exec: (side, program, ...args) => execFileSync('ip', ['netns', 'exec', names[side], program, ...args],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_EXTRA_CA_CERTS: files.authority } }).toString(),
    start: (side, ...command) => start([...inNamespace(names[side]), ...command]),
    async close() {
      await server.stop();
      remove();
    },
  };
}

/** Captures the client's wire; `stop()` resolves to the file. */
export async function captureClient(world, name) {
  const directory = join(outDirectory, 'captures');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${process.pid}-${name}.pcapng`);
  const child = world.start('client', 'dumpcap', '-q', '-i', 'wire', '-w', file);
  const said = [];
  lines(child.stderr).on('line', (line) => said.push(line));
  await until(`dumpcap to begin (${said.join(' ')})`, () => said.some((line) => line.includes('File:')), { timeout: 15000 });
  return {
    file,
    async stop() {
      // What is still in the kernel's buffer is read before it ends.
      await new Promise((resolve) => setTimeout(resolve, 500));
      await stop(child, 'SIGINT');
      return file;
    },
  };
}

/** Runs alcove-audit: {status, report, text}. */
export function audit(world, capture, { policy = world.policy, manifest, identifiers = [], keys, extra = [] } = {}) {
  const args = [capture, '--geo-database', world.database, '--json', '-', '--quiet', ...extra];
  if (policy) args.push('--policy', policy);
  if (manifest) args.push('--manifest', manifest);
  if (keys) args.push('--keys', keys);
  if (identifiers.length > 0) {
    const file = join(world.directory, 'identifiers.txt');
    writeFileSync(file, identifiers.map((id) => `${id}\n`).join(''));
    args.push('--identifiers', file);
  }
  let [status, text] = [0, ''];
  try {
    text = execFileSync(join(binDirectory, 'alcove-audit'), args, { stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 }).toString();
  } catch (error) {
    status = error.status;
    text = `${error.stdout}${error.stderr}`;
    if (status === 1) text = `${error.stdout}`;
  }
  return { status, text, report: text.startsWith('{') ? JSON.parse(text) : undefined };
}
