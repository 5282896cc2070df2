// Runs last: the log of the whole end-to-end run has no address, name, title, token or key in it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { outDirectory } from './lib/paths.mjs';

const forbidden = [
  ['an IPv4 address', /\b(?!0\.0\.0\.0\b)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/],
  ['an IPv6 address', /\b[0-9a-f]{1,4}(:[0-9a-f]{0,4}){3,7}\b|2001:db8:77:/i],
  ['an id, token or key in base64url', /(?<![A-Za-z0-9_-])(?=[A-Za-z0-9_-]*[0-9])(?=[A-Za-z0-9_-]*[A-Z])(?=[A-Za-z0-9_-]*[a-z])[A-Za-z0-9_-]{20,}/],
  ['a key or hash in hexadecimal', /\b[0-9a-f]{32,}\b/i],
  ['a fingerprint', /([0-9A-F]{2}:){7}/],
  ['a name of the tests', /Listening Lee|Sam Speaker|Native Nils|Firefox Fay|Second Voice|Rogue|Listener \d|\bada\d/],
  ['a title of the tests', /Speech, (recorded|synthetic)|A crowd|Moved down|Uninvited|Under fire|No UDP here/],
  ['a password', /correct horse/],
  ['SDP', /a=candidate|ice-ufrag|m=audio/],
];

test('no line of the servers\' logs says who, where or what', (t) => {
  const directory = join(outDirectory, 'logs');
  const files = existsSync(directory) ? readdirSync(directory) : [];
  if (files.length === 0) return t.skip('no other test has run a server');
  let count = 0;
  for (const file of files) {
    for (const line of readFileSync(join(directory, file), 'utf8').split('\n')) {
      // The two lines for the person who started the server, on standard output, name its own address.
      if (line === '' || line.startsWith('Alcove is at ')) continue;
      count++;
      for (const [what, pattern] of forbidden) assert.doesNotMatch(line, pattern, `${what} in: ${line}`);
    }
  }
  console.log(`# ${count} lines read`);
  assert.ok(count > 50, 'the servers logged next to nothing: the check would be empty');
});
