import { toAlcoveError } from '@alcove/sdk';
import { en } from './messages/en';
import { t, tn } from './i18n.svelte';
import type { MessageKey } from './i18n.svelte';

function isKey(key: string): key is MessageKey {
  return Object.hasOwn(en, key);
}

/** What went wrong, in words; the finest that there are. */
export function errorText(thrown: unknown): string {
  const error = toAlcoveError(thrown);
  if (error.reason === 'rate_limited' && error.retryAfter > 0) {
    return tn('error.rate_limited', error.retryAfter);
  }
  for (const key of [`error.${error.reason}`, `error.${error.code}`]) {
    if (isKey(key)) return t(key);
  }
  return t('error.generic');
}
