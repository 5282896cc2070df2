// A room of 60 native listeners: all hear.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { joinAs, recordingFile, startRoomAs } from './lib/client.mjs';
import { bestCorrelation, envelopeOfFile } from './lib/envelope.mjs';
import { newAccount } from './lib/people.mjs';
import { startServer } from './lib/server.mjs';
import { speechFile } from './lib/speech.mjs';

let server;
before(async () => { server = await startServer(); });
after(async () => { await server?.stop(); });

test('60 listeners hear one speaker', { timeout: 180000 }, async (t) => {
  const source = envelopeOfFile(speechFile('recorded'));
  const account = await newAccount(server.origin);
  const { client: speaker, link } = await startRoomAs(server.origin, {
    ...account, title: 'A crowd', speak: speechFile('recorded'), loop: true, seconds: 150,
  });
  t.after(() => speaker.stop());
  const files = Array.from({ length: 60 }, (_, i) => recordingFile(`crowd-${i}`));
  const listeners = [];
  for (const [i, file] of files.entries()) {
    const listener = joinAs(link, { name: `Listener ${i + 1}`, record: file, seconds: 25 });
    listeners.push(listener);
    await listener.event('joined');
  }
  const statuses = await Promise.all(listeners.map((listener) => listener.finished()));
  assert.deepEqual([...new Set(statuses)], [0]);
  const correlations = files.map((file) => bestCorrelation(source, envelopeOfFile(file)).correlation);
  const least = Math.min(...correlations);
  console.log(`# least envelope correlation of 60: ${least.toFixed(3)}`);
  assert.ok(least >= 0.9, `the worst listener heard with ${least.toFixed(3)}`);
});
