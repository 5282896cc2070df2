import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { linkFragmentText } from '../src/keys/link';
import {
  endVisit,
  forgetLinkFragment,
  linkFragment,
  readLinkFragment,
  visitId,
} from '../src/room/link_fragment';

const fragment = {
  fingerprint: new Uint8Array(32).fill(1),
  secret: new Uint8Array(16).fill(2),
};
const text = linkFragmentText(fragment);

class Area {
  readonly values = new Map<string, string>();
  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.values.set(key, value);
  }
  removeItem(key: string): void {
    this.values.delete(key);
  }
}

const replaced: unknown[] = [];
const at = (pathname: string, hash: string) => ({ pathname, hash, search: '?a' }) as Location;

beforeEach(() => {
  replaced.length = 0;
  vi.stubGlobal('sessionStorage', new Area());
  vi.stubGlobal('history', {
    state: 7,
    replaceState: (...parts: unknown[]) => replaced.push(parts),
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the fragment of a link', () => {
  it('is read once, taken out of the address, and kept for the visit', () => {
    expect(readLinkFragment(at('/r/room1', `#${text}`))).toBe(true);
    expect(replaced).toEqual([[7, '', '/r/room1?a']]);
    expect(linkFragment('room1')).toEqual(fragment);
    expect(linkFragment('room2')).toBeNull();
  });

  it('is nothing else than one', () => {
    expect(readLinkFragment(at('/r/room3', '#top'))).toBe(false);
    expect(readLinkFragment(at('/settings', `#${text}`))).toBe(false);
    expect(readLinkFragment(at('/r/room3', `#${text}A`))).toBe(false);
    // It may still have a secret in it, so it does not stay in the address bar of a room.
    expect(replaced).toHaveLength(2);
    expect(linkFragment('room3')).toBeNull();
  });

  it('is forgotten with the visit', () => {
    expect(readLinkFragment(at('/r/room5', `#${text}`))).toBe(true);
    forgetLinkFragment('room5');
    expect(linkFragment('room5')).toBeNull();
  });

  it('lives in memory where storage is blocked', () => {
    vi.stubGlobal('sessionStorage', undefined);
    expect(readLinkFragment(at('/r/room4', `#${text}`))).toBe(true);
    expect(linkFragment('room4')).toEqual(fragment);
  });
});

describe('a visit', () => {
  it('has one name until it ends', () => {
    const first = visitId();
    expect(first).toMatch(/^[\w-]{22}$/);
    expect(visitId()).toBe(first);
    endVisit();
    expect(visitId()).not.toBe(first);
  });
});
