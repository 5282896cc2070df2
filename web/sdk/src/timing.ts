import { AlcoveError } from './errors';

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Calls `work` with a signal that aborts after the time or with the outer signal; rejects with
 * "unavailable" then, whatever the work does.
 */
export async function withTimeout<T>(
  work: (signal: AbortSignal) => Promise<T>,
  ms: number,
  outer: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  let stop: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => {
      reject(new AlcoveError('unavailable', 'network', 'no answer in time'));
      controller.abort();
    };
    const timer = setTimeout(giveUp, ms);
    outer.addEventListener('abort', giveUp);
    stop = () => {
      clearTimeout(timer);
      outer.removeEventListener('abort', giveUp);
    };
    if (outer.aborted) giveUp();
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    stop();
  }
}
