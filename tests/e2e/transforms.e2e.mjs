// The other ways to a frame: Chromium's own streams where there is no script transform, and nothing where there are neither.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openChromium } from './lib/chromium.mjs';
import { joinAs, recordingFile } from './lib/client.mjs';
import { envelopeOfFile } from './lib/envelope.mjs';
import { bringToStage, button } from './lib/people.mjs';
import { readRelayView } from './lib/relay_view.mjs';
import { startServer } from './lib/server.mjs';
import { speechFile } from './lib/speech.mjs';
import { assertHeard, guestInChromium, hostInChromium } from './lib/stories.mjs';

let server;
before(async () => { server = await startServer(); });
after(async () => { await server?.stop(); });

const withoutScriptTransform = 'delete window.RTCRtpScriptTransform;';
const countStreams = `
  window.__encodedStreams = 0;
  for (const side of [RTCRtpSender, RTCRtpReceiver]) {
    const create = side.prototype.createEncodedStreams;
    side.prototype.createEncodedStreams = function () {
      window.__encodedStreams += 1;
      return create.call(this);
    };
  }`;
const withoutStreams = 'for (const side of [RTCRtpSender, RTCRtpReceiver]) delete side.prototype.createEncodedStreams;';

test('Chromium without RTCRtpScriptTransform speaks and hears, encrypted', { timeout: 120000 }, async (t) => {
  const recorded = envelopeOfFile(speechFile('recorded'));
  const host = await hostInChromium(t, server.origin, 'Streams of frames', {
    speak: speechFile('recorded'), init: withoutScriptTransform + countStreams,
  });
  const streams = () => host.page.evaluate(() => [typeof window.RTCRtpScriptTransform, window.__encodedStreams]);
  const [kind, made] = await streams();
  assert.equal(kind, 'undefined');
  assert.ok(made > 1, `only ${made} encoded streams: the fallback was not taken`);
  // Whoever has script transforms plays only what opens under the room's keys.
  const guest = await guestInChromium(t, host.link, 'Second Voice', { speak: speechFile('synthetic') });
  assert.equal(await guest.page.evaluate(() => typeof window.RTCRtpScriptTransform), 'function');
  await bringToStage(host.page, guest.page);
  await wait(1500);

  const file = recordingFile('transforms');
  const view = `${file}.payloads`;
  const from = [(await host.heard()).frames.length, (await guest.heard()).frames.length];
  await wait(9000);
  const hostHeard = (await host.heard()).frames.subarray(from[0]);
  const guestHeard = (await guest.heard()).frames.subarray(from[1]);
  await button(guest.page, 'Mute').click();
  await wait(1500);
  const native = joinAs(host.link, { name: 'Native Nils', record: file, seconds: 11, extra: ['--relay-view', view] });
  assert.equal(await native.finished(), 0, native.messages.join('\n'));

  assertHeard('the guest, of the fallback', recorded, guestHeard);
  assertHeard('the fallback, of the guest', envelopeOfFile(speechFile('synthetic')), hostHeard);
  assertHeard('alcove-client, of the fallback', recorded, envelopeOfFile(file));
  const payloads = readRelayView(view);
  assert.ok(payloads.length > 300, `only ${payloads.length} payloads`);
  assert.deepEqual([...new Set(payloads.map(({ bytes }) => bytes.length))], [160]);
  assert.deepEqual(host.problems, []);
  assert.deepEqual(guest.problems, []);
});

test('a browser without either is told so, and asks for nothing', { timeout: 60000 }, async (t) => {
  const host = await hostInChromium(t, server.origin, 'Not for every browser');
  const old = await openChromium({ init: withoutScriptTransform + withoutStreams });
  t.after(() => old.close());
  const asked = [];
  old.page.on('request', (request) => request.method() !== 'GET' && asked.push(`${request.method()} ${request.url()}`));
  await old.page.goto(host.link);
  const told = old.page.getByRole('alert');
  await told.waitFor();
  const text = await told.innerText();
  assert.match(text, /encrypt/i);
  assert.match(text, /Chrome|Firefox|Safari/);
  await old.page.waitForLoadState('networkidle');
  assert.equal(await button(old.page, 'Join').count(), 0);
  assert.deepEqual(asked, []);
  assert.equal(await old.page.evaluate(() => window.__heard.connections.length), 0);
});
