// A world of hosts in namespaces: a client behind a router, the allowed server, and hosts in denied places that answer
// whatever reaches them. What leaves the client is counted on its wire.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inNamespace, lines, start } from './processes.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

export const allowed = { v4: '198.51.100.10', v6: '2001:db8:de::10' };
/** A denied country, a denied owner, and a real range of a denied country. */
export const denied = ['203.0.113.7', '192.0.2.7', '114.114.114.114', '2001:db8:c::7', '2001:db8:b::7'];
const bits = (address) => (address.includes(':') ? 128 : 32);

/** A process that says "ready", and answers lines with lines. */
async function helper(namespace, command) {
  const child = start([...inNamespace(namespace), ...command]);
  const heard = [];
  const waiting = [];
  lines(child.stdout).on('line', (line) => (waiting.shift() ?? ((one) => heard.push(one)))(line));
  child.stderr.on('data', (text) => process.stderr.write(text));
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${command.join(' ')} ended with ${code}`);
  });
  const next = () => Promise.race([new Promise((resolve) => waiting.push(resolve)), ended]);
  ended.catch(() => {});
  await next();
  return {
    child, heard,
    ask(line) {
      const answer = next();
      child.stdin.write(`${line}\n`);
      return answer;
    },
  };
}

/** names: what the client's DNS server knows, by name. */
export async function makeWorld(names) {
  const tag = `${process.pid}-${Math.random().toString(36).slice(2, 5)}`;
  const [client, router, server, elsewhere] = ['c', 'r', 's', 'd'].map((letter) => `alcove-j${letter}-${tag}`);
  const all = [client, router, server, elsewhere];
  const children = [];
  const remove = () => {
    for (const one of children) one.child.kill('SIGKILL');
    for (const name of all) {
      try {
        ip('netns', 'delete', name);
      } catch {
        // Gone already.
      }
    }
    rmSync(`/etc/netns/${client}`, { recursive: true, force: true });
  };
  process.on('exit', remove);
  for (const name of all) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  // [namespace, the router's end, its addresses, the router's]
  const links = [
    [client, 'client', ['10.77.0.2/24', '2001:db8:77::2/64'], ['10.77.0.1/24', '2001:db8:77::1/64']],
    [server, 'server', [`${allowed.v4}/24`, `${allowed.v6}/64`], ['198.51.100.1/24', '2001:db8:de::1/64']],
    [elsewhere, 'denied', ['10.78.0.2/24', '2001:db8:78::2/64'], ['10.78.0.1/24', '2001:db8:78::1/64']],
  ];
  const exec = (name, ...command) => execFileSync('ip', ['netns', 'exec', name, ...command], { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
  for (const [name, end, own, routers] of links) {
    ip('link', 'add', 'wire', 'netns', name, 'type', 'veth', 'peer', 'name', end, 'netns', router);
    ip('-n', name, 'link', 'set', 'wire', 'up');
    ip('-n', router, 'link', 'set', end, 'up');
    for (const address of own) ip('-n', name, 'addr', 'add', address, 'dev', 'wire', ...(address.includes(':') ? ['nodad'] : []));
    for (const address of routers) {
      ip('-n', router, 'addr', 'add', address, 'dev', end, ...(address.includes(':') ? ['nodad'] : []));
      ip('-n', name, 'route', 'add', 'default', 'via', address.split('/')[0]);
    }
  }
  exec(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
  for (const address of denied) {
    ip('-n', elsewhere, 'addr', 'add', `${address}/${bits(address)}`, 'dev', 'lo', ...(address.includes(':') ? ['nodad'] : []));
    ip('-n', router, 'route', 'add', `${address}/${bits(address)}`, 'via', address.includes(':') ? '2001:db8:78::2' : '10.78.0.2');
  }
  mkdirSync(`/etc/netns/${client}`, { recursive: true });
  writeFileSync(`/etc/netns/${client}/resolv.conf`, 'nameserver 10.77.0.1\noptions timeout:1 attempts:1\n');
  const python = (namespace, file, ...args) => helper(namespace, ['python3', join(here, file), ...args]);
  const dns = await python(router, 'tiny_dns.py', '10.77.0.1', ...Object.entries(names).map((pair) => pair.join('=')));
  const hosts = await python(elsewhere, 'answer_all.py');
  const counter = await python(client, 'count_packets.py', 'wire');
  children.push(dns, hosts, counter);
  return {
    client, server, exec, remove,
    /** Names that the client has asked for. What was asked just now may still be on its way here. */
    async asked() {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return dns.heard;
    },
    /** How many packets the client has sent to each denied host so far. */
    async leaks() {
      const counts = JSON.parse(await counter.ask('count'));
      return Object.fromEntries(denied.map((address) => [address, counts[address] ?? 0]));
    },
    async sentTo(address) {
      return JSON.parse(await counter.ask('count'))[address] ?? 0;
    },
    /** The hostile house in front of the server's own port; set(tampering) from then on. */
    async hostileHouse(port, upstreamPort) {
      const house = await helper(server, [process.execPath, join(here, 'hostile_house.mjs'), allowed.v4, String(port), String(upstreamPort)]);
      children.push(house);
      return { set: (tampering) => house.ask(JSON.stringify(tampering)) };
    },
  };
}
