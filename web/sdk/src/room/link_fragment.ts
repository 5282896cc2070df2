// The fragment of a room's link: the room's fingerprint and the link's secret. Kept for the visit only, where
// no server sees it.

import { fromBase64Url, toBase64Url } from '../keys/bytes';
import { parseLinkFragment } from '../keys/link';
import type { LinkFragment } from '../keys/link';
import type { EarlierJoin } from '../keys/room_keys';

const kPrefix = 'alcove.link.';
const kInsidePrefix = 'alcove.inside.';
const kVisitKey = 'alcove.visit';
const kVisitSize = 16;

/** Where storage is blocked, the page's memory is what there is. */
const memory = new Map<string, string>();

/**
 * Reads the fragment of a room's link once, takes it out of the address bar and keeps it for the visit. True
 * where there was one.
 */
export function readLinkFragment(location: Location): boolean {
  const roomId = /^\/r\/([^/]+)/.exec(location.pathname)?.[1];
  const text = location.hash.slice(1);
  if (roomId === undefined || text === '') return false;
  // What is no fragment of a link may still have its secret in it.
  history.replaceState(history.state, '', location.pathname + location.search);
  if (parseLinkFragment(text) === null) return false;
  keepLinkFragment(decodeURIComponent(roomId), text);
  return true;
}

export function keepLinkFragment(roomId: string, text: string): void {
  // Of another link than the one that the room was entered with, nobody knows how old it is.
  const other = read(kPrefix + roomId) !== text && read(kInsidePrefix + roomId) !== null;
  if (other) write(kInsidePrefix + roomId, '');
  write(kPrefix + roomId, text);
}

/** After this the visit has been in the room; with the link's generation where that is certain. */
export function keepEarlierJoin(roomId: string, generation: number | null, text: string): void {
  write(kInsidePrefix + roomId, generation === null ? '' : `${String(generation)} ${text}`);
}

/** What the visit's joins of this room have left, and the secret where it is certain. */
export function earlierJoin(roomId: string): EarlierJoin & { secret: Uint8Array | null } {
  const kept = read(kInsidePrefix + roomId);
  const [generation, text = ''] = kept?.split(' ') ?? [];
  const secret = parseLinkFragment(text)?.secret ?? null;
  const linkGeneration = secret === null ? null : Number(generation);
  return { linkGeneration, wasInside: kept !== null, secret };
}

export function linkFragment(roomId: string): LinkFragment | null {
  return parseLinkFragment(read(kPrefix + roomId) ?? '');
}

/** Names a guest's visit: a reload keeps it, the end of the tab or leave() ends it. */
export function visitId(): string {
  const known = read(kVisitKey);
  if (known !== null && fromBase64Url(known)?.length === kVisitSize) return known;
  const made = toBase64Url(crypto.getRandomValues(new Uint8Array(kVisitSize)));
  write(kVisitKey, made);
  return made;
}

export function endVisit(): void {
  remove(kVisitKey);
}

/** The visit is over: its link's secret is not needed any more. */
export function forgetLinkFragment(roomId: string): void {
  remove(kPrefix + roomId);
  remove(kInsidePrefix + roomId);
}

function remove(key: string): void {
  memory.delete(key);
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Nothing was stored then.
  }
}

function read(key: string): string | null {
  try {
    return sessionStorage.getItem(key) ?? memory.get(key) ?? null;
  } catch {
    return memory.get(key) ?? null;
  }
}

function write(key: string, value: string): void {
  memory.set(key, value);
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // Full or blocked: it lasts as long as the page.
  }
}
