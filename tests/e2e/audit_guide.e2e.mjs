// docs/audit-guide.md, done: every command of it, in its order, in one shell, by a reviewer beside a server of its own.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { elsewhere, makeAuditWorld } from './lib/audit_world.mjs';
import { startRoomAs } from './lib/client.mjs';
import { namespacesAllowed } from './lib/netns.mjs';
import { rootDirectory } from './lib/paths.mjs';
import { inNamespace, lines, start } from './lib/processes.mjs';
import { speechFile } from './lib/speech.mjs';

const skip = namespacesAllowed() ? false : 'needs the right to make network namespaces (root)';
const guide = readFileSync(join(rootDirectory, 'docs/audit-guide.md'), 'utf8');

/** The commands of the guide: [{line, text}]. */
function blocks() {
  const found = [];
  let open = null;
  guide.split('\n').forEach((text, index) => {
    if (open && text === '```') {
      found.push({ line: open.line, text: open.lines.join('\n') });
      open = null;
    } else if (open) open.lines.push(text);
    else if (text === '```sh') open = { line: index + 2, lines: [] };
  });
  return found;
}

let world;
let host;
before(async () => {
  if (skip) return;
  world = await makeAuditWorld();
  world.exec('server', 'node', '-e', `fetch('${world.origin}/v1/accounts', {method: 'POST', headers: {'content-type': 'application/json'},
    body: JSON.stringify({username: 'harbourmaster', password: 'correct horse battery'})}).then((r) => process.exit(r.ok ? 0 : 1))`);
  host = await startRoomAs(world.origin, {
    username: 'harbourmaster', password: 'correct horse battery', title: 'A room under review', speak: speechFile('recorded'), loop: true, seconds: 400,
    namespace: world.names.server, extra: ['--ca-file', world.authority],
  });
});
after(async () => {
  await host?.client.stop();
  await world?.close();
});

test('the guide has the steps that it announces', () => {
  assert.ok(blocks().length >= 12, `${blocks().length} blocks`);
  for (const word of ['alcove-audit manifest', 'alcove-audit log', 'alcove-audit web', '--watch', '--keys', 'alcove-client verify']) {
    assert.ok(blocks().some(({ text }) => text.includes(word)), `no command has ${word}`);
  }
});

test('every command of the guide', { skip, timeout: 480000 }, async () => {
  const work = join(world.directory, 'review');
  mkdirSync(work);
  const script = join(world.directory, 'guide.sh');
  writeFileSync(script, ['set -euo pipefail', ...blocks().map(({ line, text }) => `echo "# docs/audit-guide.md:${line}"\n${text}`),
    'echo "statuses $OUTSIDE $INSIDE $NOISE $PHONE_STATUS"', ''].join('\n'));
  const child = start([...inNamespace(world.names.client), 'bash', script], {
    env: {
      // These sources, built: what a clone of them would become.
      ...process.env, WORK: work, SOURCES: rootDirectory, SERVER: world.origin, LINK: host.link, CA_FILE: world.authority, UPLINK: 'wire', FORBIDDEN: elsewhere.deniedCountry,
      ALCOVE_GEO_DATABASE: world.database, CHROMIUM_FLAGS: '--ignore-certificate-errors', XDG_DATA_HOME: join(world.directory, 'data'),
    },
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) lines(stream).on('line', (line) => said.push(line));
  const status = await new Promise((resolve) => child.on('close', resolve));
  const last = said.join('\n');
  assert.equal(status, 0, last.slice(-6000));
  assert.match(last, /^statuses 0 0 1 0$/m, last.slice(-6000));
  const report = (name) => JSON.parse(readFileSync(join(work, name), 'utf8'));
  const outside = report('outside.json');
  assert.ok(outside.media.some(({ packets }) => packets > 50), 'no sound was in the capture');
  assert.ok(outside.media.every((stream) => stream.protection === 'encrypted' || stream.packets < 50));
  assert.ok(outside.flows.every(({ denied }) => denied === false));
  // The browser was there: its page, and its TLS to the server. What else it sends is its maker's.
  assert.match(readFileSync(join(work, 'page.html'), 'utf8'), /<title>[^<]*Alcove/);
  assert.ok(report('browser.json').flows.some(({ application, server_name: name }) => application === 'tls' && name === 'alcove.test'));
  assert.ok(report('phone.json').media.some(({ packets }) => packets > 50), 'nothing of the phone was watched');
  assert.ok(report('inside.json').findings.some((finding) => finding.code === 'AUD-308'));
  for (const name of ['outside.html', 'inside.html', 'browser.html', 'phone.html']) {
    assert.match(readFileSync(join(work, name), 'utf8'), /<\/html>\n$/, name);
  }
});
