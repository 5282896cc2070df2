// Firefox under a PulseAudio with null sinks: it hears what a person would, recorded with parec.
import puppeteer from 'puppeteer-core';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start, stop, until } from './processes.mjs';

/** A sound server of its own; environment for the programs that use it. */
export async function startSound() {
  const directory = mkdtempSync(join(tmpdir(), 'alcove-pulse-'));
  chmodSync(directory, 0o700);
  const environment = { ...process.env, XDG_RUNTIME_DIR: directory, HOME: directory, PULSE_SERVER: `unix:${directory}/pulse/native` };
  const child = start(
    ['pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1', '-L', 'module-native-protocol-unix',
      '-L', 'module-null-sink sink_name=out rate=48000', '-L', 'module-null-sink sink_name=mic rate=48000',
      '-L', 'module-remap-source source_name=virtmic master=mic.monitor'],
    { env: environment },
  );
  child.stderr.resume();
  child.stdout.resume();
  await until('the sound server', () => {
    try {
      return execFileSync('pactl', ['list', 'short', 'sinks'], { env: environment, stdio: ['ignore', 'pipe', 'ignore'] }).includes('out');
    } catch {
      return false;
    }
  });
  execFileSync('pactl', ['set-default-sink', 'out'], { env: environment });
  execFileSync('pactl', ['set-default-source', 'virtmic'], { env: environment });
  return { environment, stop: () => stop(child) };
}

/** Records the sound server's output: raw 48 kHz mono, as an envelope when asked. */
export function recordSound(sound) {
  const child = start(['parec', '--device=out.monitor', '--rate=48000', '--channels=1', '--format=s16le', '--latency-msec=20'], { env: sound.environment });
  const chunks = [];
  let startedAt = 0;
  child.stdout.on('data', (chunk) => {
    if (startedAt === 0) startedAt = Date.now();
    chunks.push(chunk);
  });
  child.stderr.resume();
  return {
    samples() {
      const all = Buffer.concat(chunks);
      const samples = new Float32Array(Math.floor(all.length / 2));
      for (let i = 0; i < samples.length; i++) samples[i] = all.readInt16LE(i * 2) / 32768;
      return { rate: 48000, samples, startedAt };
    },
    stop: () => stop(child),
  };
}

/** Speaks a WAV into the browser's microphone, over and over until stopped. */
export function speakInto(sound, file) {
  const child = start(['sh', '-c', `while :; do paplay --device=mic "${file}"; done`], { env: sound.environment, detached: true });
  child.stdout.resume();
  child.stderr.resume();
  return {
    stop: () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    },
  };
}

export async function openFirefox({ sound, locale = 'en-GB' }) {
  const browser = await puppeteer.launch({
    browser: 'firefox', executablePath: '/usr/bin/firefox-esr', headless: true, env: sound.environment,
    extraPrefsFirefox: {
      'media.navigator.permission.disabled': true,
      'media.navigator.streams.fake': false,
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      'media.autoplay.default': 0,
      'intl.accept_languages': locale,
      'app.update.enabled': false,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
    },
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(20000);
  return { browser, page, close: () => browser.close() };
}

/** Clicks the element with this role and accessible name. */
export const press = (page, role, name) => page.locator(`::-p-aria([name="${name}"][role="${role}"])`).click();
export const fill = (page, name, text) => page.locator(`::-p-aria([name="${name}"][role="textbox"])`).fill(text);
