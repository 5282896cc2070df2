// What a relay has of the sound: the payloads that alcove-client writes with --relay-view, one a line: ms, slot, hex.
import { readFileSync } from 'node:fs';
import { OpusDecoder } from 'opus-decoder';
import { frameMs } from './envelope.mjs';

export function readRelayView(file) {
  return readFileSync(file, 'utf8').trim().split('\n').map((line) => {
    const [ms, slot, hex] = line.split(' ');
    return { ms: Number(ms), slot: Number(slot), bytes: Buffer.from(hex, 'hex') };
  });
}

/** Every payload given to an Opus decoder: the loudness of what comes out (20 ms each), and how many are refused. */
export async function decodePayloads(payloads) {
  const decoder = new OpusDecoder({ channels: 1 });
  await decoder.ready;
  const perPayload = 20 / frameMs;
  const envelope = new Float32Array(payloads.length * perPayload);
  let failed = 0;
  // The decoder says on the console what it refuses: that is most of it.
  const { error } = console;
  console.error = () => {};
  payloads.forEach(({ bytes }, i) => {
    const { channelData, samplesDecoded, errors } = decoder.decodeFrame(bytes);
    if (errors.length > 0 || samplesDecoded === 0) failed++;
    const samples = channelData[0] ?? new Float32Array(0);
    const part = Math.floor(samples.length / perPayload);
    for (let p = 0; p < perPayload && part > 0; p++) {
      let sum = 0;
      for (let s = p * part; s < (p + 1) * part; s++) sum += samples[s] ** 2;
      envelope[i * perPayload + p] = Math.sqrt(sum / part);
    }
  });
  console.error = error;
  decoder.free();
  return { envelope, failed };
}

function correlation(a, b) {
  const mean = (x) => x.reduce((s, v) => s + v, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

/**
 * How far any byte of the payloads follows the loudness of the speech, over delays of 0 to 300 ms: the greatest
 * correlation of one byte's values (after the 8 bytes that an SFrame header can have, which count), and of the number of ones.
 */
export function byteCorrelations(payloads, heard) {
  const perPayload = 20 / frameMs;
  const begin = payloads[0].ms;
  let best = { most: 0, offset: -1, ones: 0 };
  for (let delay = 0; delay <= 300; delay += 60) {
    const loudness = payloads.map(({ ms }) => {
      const at = Math.round((ms - begin + delay) / frameMs);
      return Math.max(...heard.subarray(at, at + perPayload), 0);
    });
    for (let offset = 8; offset < payloads[0].bytes.length; offset++) {
      const value = Math.abs(correlation(payloads.map(({ bytes }) => bytes[offset]), loudness));
      if (value > best.most) best = { ...best, most: value, offset };
    }
    const ones = correlation(payloads.map(({ bytes }) => bytes.reduce((s, b) => s + b.toString(2).replace(/0/g, '').length, 0)), loudness);
    if (Math.abs(ones) > Math.abs(best.ones)) best = { ...best, ones };
  }
  return best;
}
