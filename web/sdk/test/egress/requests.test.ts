import { afterEach, describe, expect, it, vi } from 'vitest';
import { EgressError } from '../../src/egress/error';
import { readBody, request, sameOrigin, socketUrl } from '../../src/egress/requests';

const kPage = 'https://alcove.example/r/x#y';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('sameOrigin', () => {
  it('gives URLs of the page’s own origin', () => {
    expect(sameOrigin('/v1/config', kPage).href).toBe('https://alcove.example/v1/config');
    expect(sameOrigin('https://alcove.example/a?b', kPage).href).toBe('https://alcove.example/a?b');
  });

  it('refuses every other', () => {
    for (const url of [
      'https://evil.example/v1/config',
      'http://alcove.example/v1/config',
      'https://alcove.example:444/',
      '//evil.example/v1',
      '/\\evil.example/v1',
      'https://alcove.example.evil.example/',
      'https://alcove.example@evil.example/',
      'https://user:secret@alcove.example/',
      'data:text/plain,x',
      'blob:https://alcove.example/1',
      'ftp://alcove.example/',
      'https://',
    ]) {
      expect(() => sameOrigin(url, kPage), url).toThrow(EgressError);
    }
    expect(() => sameOrigin('/v1/config', '')).toThrow(EgressError);
  });
});

describe('socketUrl', () => {
  it('is the origin’s own, of the same safety', () => {
    expect(socketUrl('https://alcove.example/v1/events', kPage)).toBe(
      'wss://alcove.example/v1/events',
    );
    expect(socketUrl('wss://alcove.example/v1/events', kPage)).toBe(
      'wss://alcove.example/v1/events',
    );
    for (const url of ['wss://evil.example/', 'ws://alcove.example/', 'wss://alcove.example:1/']) {
      expect(() => socketUrl(url, kPage), url).toThrow(EgressError);
    }
  });
});

describe('request', () => {
  it('follows no redirect and sends nothing to another origin', async () => {
    const fetched = vi.fn<(url: URL, init: RequestInit) => Promise<Response>>(() =>
      Promise.resolve(new Response('x')),
    );
    vi.stubGlobal('location', new URL(kPage));
    vi.stubGlobal('fetch', fetched);
    await request('/v1/config', { redirect: 'follow', credentials: 'include' });
    expect(fetched.mock.calls[0]?.[1]).toMatchObject({ redirect: 'error', credentials: 'omit' });
    await expect(request('https://evil.example/', {})).rejects.toThrow(EgressError);
    expect(fetched).toHaveBeenCalledTimes(1);
    const away = { redirected: true, url: 'https://evil.example/' } as Response;
    fetched.mockResolvedValueOnce(away);
    await expect(request('/v1/config', {})).rejects.toThrow(EgressError);
  });
});

describe('readBody', () => {
  it('reads up to a bound', async () => {
    expect(await readBody(new Response('12345'), 5)).toEqual(new TextEncoder().encode('12345'));
    expect(await readBody(new Response('123456'), 5)).toBeNull();
    expect(await readBody(new Response(null), 5)).toEqual(new Uint8Array());
  });
});
