// The real server, with a configuration and data of its own in a temporary directory.
import { appendFileSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binDirectory, outDirectory, webDirectory } from './paths.mjs';
import { inNamespace, lines, start, stop, until } from './processes.mjs';

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const logDirectory = join(outDirectory, 'logs');
mkdirSync(logDirectory, { recursive: true });

/**
 * Starts `alcove serve` and waits until it is ready.
 * options: namespace (network namespace), host (address of HTTP, default 127.0.0.1), name (by which people reach it), port,
 * config (TOML by section; with http.certificate it is HTTPS).
 * What a run's log says goes to out/logs, where log.e2e.mjs reads it at the end.
 */
export async function startServer({ namespace, host = '127.0.0.1', name = host, port: wantedPort, config = {} } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'alcove-e2e-'));
  const port = wantedPort ?? (namespace ? 8080 : await freePort());
  const mediaPort = namespace ? 7878 : await freePort();
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const merged = {
    http: { listen: [authority], web_root: webDirectory, allow_plain: true, ...config.http },
    media: { port: mediaPort, ...config.media },
    store: { path: join(directory, 'alcove.db'), ...config.store },
    accounts: { ...config.accounts },
    limits: { rate_limit_factor: 100.0, ...config.limits },
    log: { level: 'debug', ...config.log },
    metrics: { ...config.metrics },
    policy: { ...config.policy },
  };
  const file = join(directory, 'alcove.toml');
  writeFileSync(file, toToml(merged));
  const child = start([...inNamespace(namespace), join(binDirectory, 'alcove'), 'serve', '--config', file]);
  const log = [];
  const logFile = join(logDirectory, `server-${process.pid}.log`);
  for (const stream of [child.stdout, child.stderr]) {
    lines(stream).on('line', (line) => {
      log.push(line);
      appendFileSync(logFile, `${line}\n`);
    });
  }
  const [scheme, usual] = config.http?.certificate ? ['https', 443] : ['http', 80];
  const origin = `${scheme}://${name.includes(':') ? `[${name}]` : name}${port === usual ? '' : `:${port}`}`;
  await until('the server to be ready', async () => {
    if (child.exitCode !== null) throw new Error(`alcove serve ended with ${child.exitCode}:\n${log.join('\n')}`);
    if (namespace) return log.some((line) => line.includes('Alcove is at'));
    return fetch(`${origin}/readyz`).then((r) => r.ok, () => false);
  });
  return {
    origin, port, mediaPort, child, log, file, directory,
    async stop() {
      const status = await stop(child);
      rmSync(directory, { recursive: true, force: true });
      return status;
    },
  };
}

function toToml(sections) {
  const value = (v) => (Array.isArray(v) ? `[${v.map(value).join(', ')}]` : typeof v === 'string' ? JSON.stringify(v)
    : typeof v === 'number' && Number.isInteger(v) ? `${v}` : String(v));
  return Object.entries(sections)
    .map(([name, keys]) => `[${name}]\n` + Object.entries(keys)
      .map(([key, v]) => `${key} = ${key === 'rate_limit_factor' ? Number(v).toFixed(1) : value(v)}\n`).join(''))
    .join('\n');
}
