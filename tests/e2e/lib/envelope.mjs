// The speech envelope: RMS of 10 ms frames, and how well what was heard follows what was said.
import { readFileSync } from 'node:fs';

export const frameMs = 10;

/** Samples of a 16-bit PCM WAV, mixed to mono: {rate, samples: Float32Array}. */
export function readWav(file) {
  const data = readFileSync(file);
  if (data.toString('latin1', 0, 4) !== 'RIFF' || data.toString('latin1', 8, 12) !== 'WAVE') throw new Error(`${file} is no WAV`);
  let offset = 12;
  let format = null;
  while (offset + 8 <= data.length) {
    const id = data.toString('latin1', offset, offset + 4);
    const size = data.readUInt32LE(offset + 4);
    const body = offset + 8;
    if (id === 'fmt ') {
      format = { channels: data.readUInt16LE(body + 2), rate: data.readUInt32LE(body + 4), bits: data.readUInt16LE(body + 14) };
    } else if (id === 'data') {
      if (!format || format.bits !== 16) throw new Error(`${file}: not 16-bit PCM`);
      const end = Math.min(body + size, data.length);
      const count = Math.floor((end - body) / 2 / format.channels);
      const samples = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        let sum = 0;
        for (let c = 0; c < format.channels; c++) sum += data.readInt16LE(body + (i * format.channels + c) * 2);
        samples[i] = sum / format.channels / 32768;
      }
      return { rate: format.rate, samples };
    }
    offset = body + size + (size % 2);
  }
  throw new Error(`${file}: no samples`);
}

export function envelopeOf({ rate, samples }) {
  const size = Math.round((rate * frameMs) / 1000);
  const frames = new Float32Array(Math.floor(samples.length / size));
  for (let f = 0; f < frames.length; f++) {
    let sum = 0;
    for (let i = f * size; i < (f + 1) * size; i++) sum += samples[i] * samples[i];
    frames[f] = Math.sqrt(sum / size);
  }
  return frames;
}

export const envelopeOfFile = (file) => envelopeOf(readWav(file));

function correlation(a, b) {
  const n = a.length;
  let meanA = 0;
  let meanB = 0;
  for (let i = 0; i < n; i++) {
    meanA += a[i];
    meanB += b[i];
  }
  meanA /= n;
  meanB /= n;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < n; i++) {
    const x = a[i] - meanA;
    const y = b[i] - meanB;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

/**
 * Best correlation of `seconds` of what was heard with the source, which repeats without end (a fake
 * microphone loops its file and starts anywhere in it). Without `loop`, lags up to 2 s are tried.
 * The part of `heard` that is compared begins where sound begins.
 */
export function bestCorrelation(source, heard, { seconds = 5, loop = true } = {}) {
  const length = (seconds * 1000) / frameMs;
  const onset = firstSound(heard);
  if (onset < 0 || heard.length - onset < length) return { correlation: 0, lagMs: 0, frames: Math.max(0, heard.length - onset) };
  let best = { correlation: -1, lagMs: 0, frames: length };
  // Jitter buffers settle at first, and a machine that starts a browser meanwhile stumbles: beginnings are tried
  // a second apart. One stretch of `seconds` that follows the source is what is asked for.
  for (let begin = onset; begin + length <= heard.length && begin <= onset + 2000; begin += 100) {
    const part = heard.subarray(begin, begin + length);
    const lags = loop ? source.length : 200;
    const window = new Float32Array(length);
    for (let lag = 0; lag < lags; lag++) {
      const shift = loop ? lag : begin - onset + lag - 100;
      for (let i = 0; i < length; i++) {
        const at = shift + i;
        window[i] = loop ? source[at % source.length] : at >= 0 && at < source.length ? source[at] : 0;
      }
      const value = correlation(window, part);
      if (value > best.correlation) best = { correlation: value, lagMs: lag * frameMs, frames: length };
    }
  }
  return best;
}

export const silenceLevel = 0.003; // -50 dBFS

/** Index of the first frame of at least 50 ms of sound, or -1. */
export function firstSound(frames, from = 0) {
  let run = 0;
  for (let i = from; i < frames.length; i++) {
    run = frames[i] > silenceLevel ? run + 1 : 0;
    if (run === 5) return i - 4;
  }
  return -1;
}

/** Index of the last frame with sound, or -1. */
export function lastSound(frames) {
  for (let i = frames.length - 1; i >= 0; i--) if (frames[i] > silenceLevel) return i;
  return -1;
}

export const isSilent = (frames) => firstSound(frames) < 0;
