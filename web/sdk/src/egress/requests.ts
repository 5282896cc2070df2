// HTTP and WebSocket: to the page's own origin alone, and along no redirect.

import { EgressError } from './error';

/** Of the page; tests have none and say theirs. */
function pageUrl(): string {
  return (globalThis as { location?: Location }).location?.href ?? '';
}

/**
 * The URL as it will be asked for.
 * @throws EgressError for another origin than the page's
 */
export function sameOrigin(url: string, page = pageUrl()): URL {
  const home = parse(page, undefined);
  const target = home === null ? null : parse(url, home);
  if (home === null || target === null) throw new EgressError('egress.foreign', url);
  const isWeb = target.protocol === 'http:' || target.protocol === 'https:';
  const isPlain = target.username === '' && target.password === '';
  if (!isWeb || !isPlain || target.origin !== home.origin) {
    throw new EgressError('egress.foreign', target.host || url);
  }
  return target;
}

/**
 * fetch, to the page's own origin: a redirect is an error, wherever it leads.
 * @throws EgressError, and what fetch throws
 */
export async function request(url: string, init: RequestInit): Promise<Response> {
  const target = sameOrigin(url);
  const response = await fetch(target, {
    ...init,
    credentials: 'omit',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
  });
  if (response.redirected) throw new EgressError('egress.foreign', response.url);
  return response;
}

/**
 * The WebSocket URL beside a URL of the page's own origin. Browsers follow no redirect on this way.
 * @throws EgressError
 */
export function socketUrl(url: string, page = pageUrl()): string {
  const target = sameOrigin(url.replace(/^ws(s?):/, 'http$1:'), page);
  target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:';
  return target.href;
}

export function openSocket(url: string): WebSocket {
  return new WebSocket(socketUrl(url));
}

/** A file of the own build for an audio worklet. */
export async function addWorklet(context: BaseAudioContext, url: string): Promise<void> {
  await context.audioWorklet.addModule(sameOrigin(url).href);
}

/**
 * The body, or null where it is larger.
 * @throws what reading throws
 */
export async function readBody(response: Response, maxBytes: number): Promise<Uint8Array | null> {
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array(0);
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > maxBytes) {
      await reader.cancel().catch(() => undefined);
      return null;
    }
    parts.push(value);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}

function parse(url: string, base: URL | undefined): URL | null {
  try {
    return new URL(url, base);
  } catch {
    return null;
  }
}
