import { AlcoveError } from './errors';

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Rejects with "unavailable" where the promise takes too long, or when the signal comes. */
export async function withTimeout<T>(
  promise: Promise<T>,
  ms: number,
  signal: AbortSignal,
): Promise<T> {
  let stop: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => {
      reject(new AlcoveError('unavailable', 'network', 'no answer in time'));
    };
    const timer = setTimeout(giveUp, ms);
    signal.addEventListener('abort', giveUp);
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    };
    if (signal.aborted) giveUp();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop();
  }
}
