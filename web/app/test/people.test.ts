import { describe, expect, it } from 'vitest';
import { initialsOf, toneOf } from '../src/lib/people';

describe('initialsOf', () => {
  it('takes the first and the last word', () => {
    expect(initialsOf('Ada Lovelace')).toBe('AL');
    expect(initialsOf('  ana   maría  de la cruz ')).toBe('AC');
    expect(initialsOf('yuki')).toBe('Y');
    expect(initialsOf('𝒳 y')).toBe('𝒳Y');
    expect(initialsOf('(bob) [smith]')).toBe('BS');
    expect(initialsOf('🦊')).toBe('🦊');
  });

  it('has an answer for a name of nothing', () => {
    expect(initialsOf('   ')).toBe('?');
  });
});

describe('toneOf', () => {
  it('is the same for a name everywhere, and one of the ten', () => {
    expect(toneOf('Ada')).toBe(toneOf(' ada '));
    const tones = new Set(Array.from({ length: 200 }, (_, i) => toneOf(`person ${String(i)}`)));
    expect([...tones].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
