// Networks of our own on one machine (ip netns, root).
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { start } from './processes.mjs';

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

/** True when this user may make network namespaces; tests that need them skip with a word otherwise. */
export function namespacesAllowed() {
  const name = `alcove-probe-${process.pid}`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'delete', name);
    return true;
  } catch {
    return false;
  }
}

const impairer = join(dirname(fileURLToPath(import.meta.url)), 'impair.py');

/**
 * Two hosts, server (10.77.0.1, 2001:db8:77::1) and client (10.77.0.2, 2001:db8:77::2), each on a wire to a third
 * namespace that passes frames between them and can be told to lose and delay them.
 * families: ['4'], ['6'] or both.
 */
export async function makeWire({ families = ['4', '6'] } = {}) {
  const tag = `${process.pid}-${Math.random().toString(36).slice(2, 5)}`;
  const [server, client, middle] = ['s', 'c', 'm'].map((letter) => `alcove-${letter}-${tag}`);
  const exec = (name, ...command) => execFileSync('ip', ['netns', 'exec', name, ...command], { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
  let bridge = null;
  const remove = () => {
    bridge?.kill('SIGKILL');
    for (const name of [server, client, middle]) {
      try {
        ip('netns', 'delete', name);
      } catch {
        // Gone already.
      }
    }
  };
  process.on('exit', remove);
  for (const name of [server, client, middle]) ip('netns', 'add', name);
  for (const [name, last, end] of [[server, 1, 'first'], [client, 2, 'second']]) {
    ip('link', 'add', 'wire', 'netns', name, 'type', 'veth', 'peer', 'name', end, 'netns', middle);
    ip('-n', middle, 'link', 'set', end, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
    ip('-n', name, 'link', 'set', 'wire', 'up');
    // Frames leave whole and with their checksums: the middle is no network card.
    exec(name, 'ethtool', '-K', 'wire', 'tx', 'off', 'tso', 'off', 'gso', 'off', 'gro', 'off');
    if (families.includes('4')) {
      ip('-n', name, 'addr', 'add', `10.77.0.${last}/24`, 'dev', 'wire');
      // A default route, as hosts have: browsers pick their default address by it.
      ip('-n', name, 'route', 'add', 'default', 'via', `10.77.0.${3 - last}`);
    }
    if (families.includes('6')) {
      ip('-n', name, 'addr', 'add', `2001:db8:77::${last}/64`, 'dev', 'wire', 'nodad');
      ip('-6', '-n', name, 'route', 'add', 'default', 'via', `2001:db8:77::${3 - last}`);
    }
  }
  bridge = start(['ip', 'netns', 'exec', middle, 'python3', impairer, 'first', 'second', '20261124']);
  bridge.stderr.on('data', (text) => process.stderr.write(text));
  await once(bridge.stdout, 'data');
  return {
    server, client, remove, exec,
    serverAddress: families.includes('4') ? '10.77.0.1' : '2001:db8:77::1',
    /** Drops all UDP that the client sends. */
    blockUdp() {
      for (const tables of ['iptables', 'ip6tables']) exec(client, tables, '-A', 'OUTPUT', '-p', 'udp', '-j', 'DROP');
    },
    unblockUdp() {
      for (const tables of ['iptables', 'ip6tables']) exec(client, tables, '-F', 'OUTPUT');
    },
    /** Loss in percent and delay of 0 to jitter ms, of UDP, each way. */
    impair({ loss = 0, jitter = 0 }) {
      bridge.stdin.write(`${loss} ${jitter}\n`);
    },
  };
}
