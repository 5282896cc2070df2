// Child processes that never outlive the test.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

/** Prefix that runs a command inside a network namespace. */
export const inNamespace = (namespace) => (namespace ? ['ip', 'netns', 'exec', namespace] : []);

export function start(command, options = {}) {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
  running.add(child);
  child.on('exit', () => running.delete(child));
  child.on('error', (error) => process.stderr.write(`${program}: ${error.message}\n`));
  return child;
}

export const lines = (stream) => createInterface({ input: stream, crlfDelay: Infinity });

/** Ends a child: the signal, then SIGKILL after 5 s. Resolves to its exit status. */
export async function stop(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill(signal);
  await Promise.race([ended, sleep(5000, null, { ref: false })]);
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await ended;
  }
  return child.exitCode;
}

/** Polls until the condition returns something truthy, or fails saying what was waited for. */
export async function until(what, condition, { timeout = 10000, every = 20 } = {}) {
  const deadline = Date.now() + timeout;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeout} ms for ${what}`);
    await sleep(every);
  }
}
