import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { en } from '../src/lib/messages/en';
import { fr } from '../src/lib/messages/fr';

const source = join(dirname(fileURLToPath(import.meta.url)), '../src');

function* filesIn(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else if (/\.(svelte|ts)$/.test(entry.name)) yield path;
  }
}

const files = [...filesIn(source)]
  .filter((path) => !path.includes('messages'))
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));

const placeholders = (text: string) =>
  [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe('the message catalogue', () => {
  it('has the same keys in every language, none of them empty', () => {
    expect(Object.keys(fr).sort()).toEqual(Object.keys(en).sort());
    for (const [key, text] of [...Object.entries(en), ...Object.entries(fr)]) {
      expect(text.trim(), key).not.toBe('');
    }
  });

  it('has the same values to fill in', () => {
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect(placeholders(fr[key]), key).toEqual(placeholders(en[key]));
    }
  });

  it('has both forms of every counted message', () => {
    for (const key of Object.keys(en)) {
      if (key.endsWith('_one')) expect(en).toHaveProperty([key.replace(/_one$/, '_other')]);
      if (key.endsWith('_other')) expect(en).toHaveProperty([key.replace(/_other$/, '_one')]);
    }
  });

  it('has no message that nothing shows', () => {
    const all = files.map(({ text }) => text).join('\n');
    // Put together from a name: faults of the log, diagnoses, faults of the microphone, errors of the server.
    const composed =
      /^(error\.|banner\.(no-path|tcp-only|dtls|admission)|device\.(refused|missing|in-use|insecure|failed)|trust\.(rollback|fork|broken|other-key|unlogged))/;
    for (const key of Object.keys(en)) {
      if (composed.test(key)) continue;
      expect(all.includes(`'${key.replace(/_(one|other)$/, '')}'`), key).toBe(true);
    }
  });
});

describe('the components', () => {
  it('have no text of their own', () => {
    for (const { path, text } of files.filter(({ path }) => path.endsWith('.svelte'))) {
      const markup = text
        .replace(/<script[\s\S]*?<\/script>/g, '')
        .replace(/<style[\s\S]*?<\/style>/g, '')
        .replace(/<!--[\s\S]*?-->/g, '');
      for (const [, attribute] of markup.matchAll(
        /\b(?:aria-label|title|placeholder|alt)="([^"]*)"/g,
      )) {
        expect(attribute?.replace(/\{[^}]*\}/g, '').trim(), path).toBe('');
      }
      const words = stripBraces(markup).replace(/<[^>]*>/g, ' ');
      expect(words.match(/\p{L}{2,}/gu) ?? [], path).toEqual([]);
    }
  });

  it('have no style attribute and no inline script, which the content security policy refuses', () => {
    for (const { path, text } of files) {
      expect(/<[a-z][^>]*\sstyle=/.test(text), path).toBe(false);
      expect(/\sstyle:[a-z-]+=/.test(text), path).toBe(false);
      expect(/\{@html/.test(text), path).toBe(false);
    }
  });
});

/** Takes out {…}, nested too: expressions are not text. */
function stripBraces(text: string): string {
  let depth = 0;
  let result = '';
  for (const character of text) {
    if (character === '{') depth += 1;
    if (depth === 0) result += character;
    if (character === '}') depth -= 1;
  }
  return result;
}
