import { unsupportedReason } from '@alcove/sdk';
import type { MessageKey } from './i18n.svelte';

/** Why this browser cannot take part in a room, told before the way in; null where it can. */
export function unsupported(): MessageKey | null {
  const reason = unsupportedReason();
  if (reason === null) return null;
  // Browsers keep their cryptography from pages that came over plain HTTP.
  if (!window.isSecureContext) return 'unsupported.insecure';
  return reason === 'no-crypto' ? 'unsupported.crypto' : 'unsupported.transform';
}
