const kTones = 10;

/** Up to two letters: of the first and the last word, or the first of the only one. */
export function initialsOf(name: string): string {
  const words = name
    .trim()
    .split(/\s+/u)
    .filter((word) => word !== '');
  const first = words[0];
  if (first === undefined) return '?';
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  return (firstLetter(first) + (last === undefined ? '' : firstLetter(last))).toLocaleUpperCase();
}

function firstLetter(word: string): string {
  return [...word].find((character) => /[\p{L}\p{N}]/u.test(character)) ?? [...word][0] ?? '';
}

/** Which of the avatar colours a name has: the same one everywhere. */
export function toneOf(name: string): number {
  let hash = 2166136261;
  for (const character of name.trim().toLocaleLowerCase()) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619) >>> 0;
  }
  return ((hash ^ (hash >>> 15)) >>> 0) % kTones;
}
