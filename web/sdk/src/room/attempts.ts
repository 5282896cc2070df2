import type { AlcoveError } from '../errors';

/**
 * Short at first: a request on a connection that hangs since the network went is given up and made on a
 * new one. Longer with each attempt, for networks that are only slow.
 */
export function restartTimeoutMs(failed: number): number {
  return Math.min(4_000, 1_000 * 1.4 ** failed);
}

export function isTemporary(error: AlcoveError): boolean {
  return error.code === 'unavailable' || error.code === 'resource_exhausted';
}
