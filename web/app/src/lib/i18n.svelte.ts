import { en } from './messages/en';
import { fr } from './messages/fr';

export type MessageKey = keyof typeof en;
export type Catalogue = Record<MessageKey, string>;
/** `x` where there are `x_one` and `x_other`. */
export type CountedKey = MessageKey extends infer Key
  ? Key extends `${infer Base}_other`
    ? Base
    : never
  : never;
export type Values = Record<string, string | number>;

export const catalogues = { en, fr } satisfies Record<string, Catalogue>;
export type Locale = keyof typeof catalogues;
export const localeNames: Record<Locale, string> = { en: 'English', fr: 'Français' };
export const locales = Object.keys(catalogues) as Locale[];

const kStorageKey = 'alcove.language';

export function isLocale(text: string): text is Locale {
  return Object.hasOwn(catalogues, text);
}

export function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The first of the person's languages that there is; English otherwise. */
export function pickLocale(stored: string | null, wanted: readonly string[]): Locale {
  for (const tag of [stored ?? '', ...wanted]) {
    const language = tag.toLowerCase().split('-')[0] ?? '';
    if (isLocale(language)) return language;
  }
  return 'en';
}

function storedLocale(): string | null {
  try {
    return localStorage.getItem(kStorageKey);
  } catch {
    return null;
  }
}

class Language {
  locale = $state<Locale>('en');

  constructor() {
    if (typeof document === 'undefined') return;
    this.#use(pickLocale(storedLocale(), navigator.languages));
  }

  choose(locale: Locale): void {
    this.#use(locale);
    try {
      localStorage.setItem(kStorageKey, locale);
    } catch {
      // Chosen for this page then.
    }
  }

  #use(locale: Locale): void {
    this.locale = locale;
    document.documentElement.lang = locale;
  }
}

export const language = new Language();

/** The message in the person's language. */
export function t(key: MessageKey, values: Values = {}): string {
  return fill(catalogues[language.locale][key], values);
}

/** The message for a count, which is `{count}` in it. */
export function tn(key: CountedKey, count: number, values: Values = {}): string {
  const rule = new Intl.PluralRules(language.locale).select(count);
  const full = `${key}_${rule === 'one' ? 'one' : 'other'}` as MessageKey;
  const shown = new Intl.NumberFormat(language.locale).format(count);
  return t(full, { ...values, count: shown });
}

/** A date and time, short. */
export function formatDate(ms: number): string {
  const options: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' };
  return new Intl.DateTimeFormat(language.locale, options).format(ms);
}

/** "China" for CN; whatever else it is, as it is. */
export function formatCountry(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code;
  return new Intl.DisplayNames(language.locale, { type: 'region' }).of(code) ?? code;
}

/** Names as a list: "Ada, Ben and Cy". */
export function formatNames(names: string[]): string {
  return new Intl.ListFormat(language.locale, { type: 'conjunction' }).format(names);
}
