// alcove-client as a member of a room: its events, its exit status, what it recorded.
import { join } from 'node:path';
import { once } from 'node:events';
import { mkdirSync, writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { binDirectory, outDirectory } from './paths.mjs';
import { inNamespace, lines, start, stop, until } from './processes.mjs';

mkdirSync(join(outDirectory, 'recordings'), { recursive: true });
export const recordingFile = (name) => join(outDirectory, 'recordings', `${process.pid}-${name}.wav`);

// Identities and known devices of the tests, not those of whoever runs them.
let environment;
/** From here on the native client knows no server and no device: another server may stand at an address that it knew. */
export function useNewDevice() {
  environment = { ...process.env, XDG_DATA_HOME: mkdtempSync(join(tmpdir(), 'alcove-e2e-data-')) };
}
useNewDevice();

function run(args, { namespace } = {}) {
  const child = start([...inNamespace(namespace), join(binDirectory, 'alcove-client'), ...args], { env: environment });
  const events = [];
  const messages = [];
  lines(child.stdout).on('line', (line) => {
    try {
      events.push({ at: Date.now(), ...JSON.parse(line) });
    } catch {
      messages.push(line);
    }
  });
  lines(child.stderr).on('line', (line) => messages.push(line));
  const ended = once(child, 'exit');
  return {
    child, events, messages,
    /** The first event of this name (that also satisfies a predicate), waited for. */
    event(name, predicate = () => true, timeout = 15000) {
      return until(`the client's event "${name}" (so far: ${JSON.stringify(events.slice(-5))} ${messages.slice(-3).join(' | ')})`, () => {
        const found = events.find((e) => e.event === name && predicate(e));
        if (!found && child.exitCode !== null) {
          throw new Error(`alcove-client ended with ${child.exitCode} before "${name}": ${messages.join('\n')}\n${JSON.stringify(events)}`);
        }
        return found;
      }, { timeout });
    },
    /** Types a command, as a person would. */
    say(command) {
      child.stdin.write(`${command}\n`);
    },
    /** Waits for its own end; the exit status. */
    async finished() {
      await ended;
      return child.exitCode;
    },
    stop: () => stop(child, 'SIGINT'),
  };
}

/** `alcove-client verify`: its exit status and its report. */
export async function verify(...args) {
  const client = run(['verify', '--json', ...args]);
  const status = await client.finished();
  return { status, events: client.events, messages: client.messages };
}

/** `alcove-client load`: its exit status, its figures (undefined when there are none), what it said. */
export async function load(...args) {
  const client = run(['load', '--json', ...args]);
  const status = await client.finished();
  return { status, report: client.events.find((e) => e.event === 'load'), messages: client.messages };
}

/** options: name, speak, loop, record, seconds, extra (further flags), namespace. */
export function joinAs(link, { name, speak, loop, record, seconds, extra = [], namespace } = {}) {
  const args = ['join', link, '--name', name, '--json'];
  if (speak) args.push('--speak', speak);
  if (loop) args.push('--loop');
  if (record) args.push('--record', record);
  if (seconds) args.push('--for', `${seconds}s`);
  return run([...args, ...extra], { namespace });
}

/** Starts a room as an account; resolves to {client, link} when the room stands. */
export async function startRoomAs(origin, { username, password, title, kind = 'open', speak, loop, record, seconds, extra = [], namespace } = {}) {
  const passwordFile = join(mkdtempSync(join(tmpdir(), 'alcove-e2e-')), 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const args = ['start', origin, '--title', title, '--kind', kind, '--username', username, '--password-file', passwordFile, '--json'];
  if (speak) args.push('--speak', speak);
  if (loop) args.push('--loop');
  if (record) args.push('--record', record);
  if (seconds) args.push('--for', `${seconds}s`);
  const client = run([...args, ...extra], { namespace });
  const started = await client.event('started');
  return { client, link: started.link };
}
