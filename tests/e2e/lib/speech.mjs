// Speech to speak into microphones: real recordings (Debian's alsa-utils) and synthetic (espeak-ng),
// as 48 kHz mono WAV files under out/speech.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { outDirectory } from './paths.mjs';

const recordings = ['Front_Center', 'Rear_Left', 'Side_Right', 'Front_Right', 'Rear_Center', 'Side_Left', 'Front_Left', 'Rear_Right'];
const sentence =
  'Nobody but the people in a room can hear it. Not the operator, not the relay that carries the packets, ' +
  'and not the network in between. Anyone can raise a hand, and a moderator brings them to the stage.';

/** Path of a WAV of about 11 s. kind: 'recorded', 'synthetic', or 'unbroken': the recorded one without its pauses, some 6 s. */
export function speechFile(kind) {
  const directory = join(outDirectory, 'speech');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${kind}.wav`);
  if (existsSync(file)) return file;
  if (kind === 'unbroken') {
    execFileSync('sox', [speechFile('recorded'), file, 'silence', '1', '0.02', '1%', '-1', '0.04', '1%']);
  } else if (kind === 'recorded') {
    const parts = recordings.map((name) => `/usr/share/sounds/alsa/${name}.wav`);
    execFileSync('sox', [...parts, '-r', '48000', '-c', '1', '-b', '16', file]);
  } else {
    const raw = join(directory, 'espeak.wav');
    execFileSync('espeak-ng', ['-v', 'en', '-s', '150', '-w', raw, sentence]);
    execFileSync('sox', [raw, '-r', '48000', '-c', '1', '-b', '16', file, 'norm', '-3']);
  }
  return file;
}

/** A WAV of silence, for a microphone that says nothing. */
export function silenceFile() {
  const directory = join(outDirectory, 'speech');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'silence.wav');
  if (!existsSync(file)) execFileSync('sox', ['-n', '-r', '48000', '-c', '1', '-b', '16', file, 'trim', '0', '10']);
  return file;
}
