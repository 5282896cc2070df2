import { toAlcoveError } from '@alcove/sdk';
import type { AlcoveError } from '@alcove/sdk';
import { en } from './messages/en';
import { t, tn } from './i18n.svelte';
import type { MessageKey } from './i18n.svelte';

function isKey(key: string): key is MessageKey {
  return Object.hasOwn(en, key);
}

/** The page of the server's places says more about it. */
export function isAboutPlaces(error: AlcoveError | null): boolean {
  return /^(egress|manifest)\./.test(error?.reason ?? '');
}

/** What went wrong, in words; the finest that there are. */
export function errorText(thrown: unknown): string {
  const error = toAlcoveError(thrown);
  if (error.reason === 'rate_limited' && error.retryAfter > 0) {
    return tn('error.rate_limited', error.retryAfter);
  }
  for (const key of [`error.${error.reason}`, `error.${error.code}`]) {
    if (isKey(key)) return t(key, error.values);
  }
  return t('error.generic');
}
