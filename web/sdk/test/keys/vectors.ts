// Files of tests/vectors: one record a line, "#" begins a comment.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromHex } from '../../src/keys/bytes';

export function vectorPath(name: string): string {
  return fileURLToPath(new URL(`../../../../tests/vectors/${name}`, import.meta.url));
}

export function vectorLines(name: string): string[][] {
  const lines = readFileSync(vectorPath(name), 'utf8').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' '));
}

/** Of lines `name = hexadecimal`. */
export function vectorFields(name: string): (field: string) => Uint8Array {
  const fields = new Map(vectorLines(name).map(([field = '', , value = '']) => [field, value]));
  return (field) => bytesOf(fields.get(field) ?? 'missing');
}

export function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes === null) throw new Error(`not hexadecimal: ${hex}`);
  return bytes;
}

/** No number in these files is above 2^53, which JSON.parse would round. */
export function vectorJson<Value>(name: string): Value {
  return JSON.parse(readFileSync(vectorPath(name), 'utf8')) as Value;
}
