// Mouth-to-ear delay on loopback: the speaker's microphone is a WebAudio graph that clicks; both ends stamp the click with
// the machine's clock in the audio thread that renders it. A render callback spans about 10 ms, so a single figure is
// within that; sound hardware on both sides is not in it.
import { openChromium } from '../tests/e2e/lib/chromium.mjs';
import { joinByLink, logIn, newAccount, startRoom } from '../tests/e2e/lib/people.mjs';
import { startServer } from '../tests/e2e/lib/server.mjs';
import { numberOption, summary } from './lib/statistics.mjs';

const clicks = numberOption('--clicks', 30);
const json = process.argv.includes('--json');

const worklets = `
registerProcessor('clicker', class extends AudioWorkletProcessor {
  process(inputs, outputs) {
    const out = outputs[0][0];
    for (let i = 0; i < out.length; i++) {
      const phase = (currentFrame + i) % 33600;             // a click every 700 ms
      out[i] = phase < 960 ? 0.7 * Math.sin(phase * 2 * Math.PI * 1000 / 48000) : 0;
      if (phase === 0) this.port.postMessage(Date.now() + i / 48);
    }
    return true;
  }
});
registerProcessor('listener', class extends AudioWorkletProcessor {
  process(inputs) {
    const samples = inputs[0][0];
    for (let i = 0; samples && i < samples.length; i++) {
      if (Math.abs(samples[i]) > 0.1 && currentFrame + i > (this.quietUntil ?? 0)) {
        this.quietUntil = currentFrame + i + 14400;
        this.port.postMessage(Date.now() + i / 48);
      }
    }
    return true;
  }
});`;

/** Audio worklets of the bench's own; the page's policy, which refuses them, is set aside. */
const addWorklets = (context) =>
  context.addInitScript((source) => {
    window.__worklets = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  }, worklets);

const server = await startServer();
const speaker = await openChromium({ bypassCSP: true });
await addWorklets(speaker.context);
await speaker.context.addInitScript(() => {
  window.__clicks = [];
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext({ sampleRate: 48000, latencyHint: 'interactive' });
    await context.audioWorklet.addModule(window.__worklets);
    const clicker = new AudioWorkletNode(context, 'clicker', { numberOfInputs: 0, outputChannelCount: [1] });
    clicker.port.onmessage = (event) => window.__clicks.push(event.data);
    const output = context.createMediaStreamDestination();
    clicker.connect(output);
    return output.stream;
  };
});
const listener = await openChromium({ bypassCSP: true });
await addWorklets(listener.context);
await listener.context.addInitScript(() => {
  window.__ears = [];
  const addTransceiver = RTCPeerConnection.prototype.addTransceiver;
  let context = null;
  RTCPeerConnection.prototype.addTransceiver = function (...args) {
    if (!context) {
      context = new AudioContext({ sampleRate: 48000, latencyHint: 'interactive' });
      const ready = context.audioWorklet.addModule(window.__worklets);
      this.addEventListener('track', async (event) => {
        await ready;
        const ear = new AudioWorkletNode(context, 'listener', { numberOfOutputs: 0 });
        ear.port.onmessage = (message) => window.__ears.push(message.data);
        context.createMediaStreamSource(new MediaStream([event.track])).connect(ear);
      });
    }
    return addTransceiver.apply(this, args);
  };
});

await logIn(speaker.page, server.origin, await newAccount(server.origin));
const link = await startRoom(speaker.page, 'Mouth to ear');
await joinByLink(listener.page, link, 'Ear');
await listener.page.waitForFunction((count) => window.__ears.length >= count + 5, clicks, { timeout: 120000 });
const said = await speaker.page.evaluate(() => window.__clicks);
const heard = await listener.page.evaluate(() => window.__ears);
// The first clicks meet a jitter buffer that is still settling.
const delays = heard.slice(5).map((at) => at - Math.max(...said.filter((click) => click <= at))).filter((delay) => delay < 650);
const report = { bench: 'mouth_to_ear', mouth_to_ear_ms: summary(delays), aim: { mouth_to_ear_ms: { median: 150 } } };
console.log(json ? JSON.stringify(report) : JSON.stringify(report, null, 2));
await speaker.close();
await listener.close();
await server.stop();
process.exit(0);
