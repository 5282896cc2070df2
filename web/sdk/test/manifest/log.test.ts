import { describe, expect, it } from 'vitest';
import { TransparencyEntry_Kind as Kind } from '../../src/gen/alcove/v1/manifest_pb';
import { emptyHead, followLog } from '../../src/manifest/log';
import { seedOf, signManifest, TestLog, verify } from './signing';

const follow = (log: TestLog, from = emptyHead(), most = 256) =>
  followLog(from, (at) => Promise.resolve(log.page(at, most)), verify);

const kSigned = signManifest();

describe('followLog', () => {
  it('follows from the first entry, page by page, and from a head', async () => {
    const log = new TestLog().addManifest(kSigned).addManifest(signManifest({ serial: 8n }));
    for (const most of [1, 2, 256]) {
      const { fault, head, size } = await follow(log, emptyHead(), most);
      expect({ fault, at: head.size, size }).toEqual({ fault: null, at: 3, size: 3 });
    }
    const { head } = await follow(log);
    expect((await follow(log, head)).head).toEqual(head);
    log.changeKey(seedOf(2)).addManifest(kSigned);
    const later = await follow(log, head, 2);
    expect(later.fault).toBeNull();
    expect(later.head.size).toBe(5);
    expect(later.keys).toHaveLength(2);
  });

  it('sees a rollback', async () => {
    const log = new TestLog().addManifest(kSigned);
    const { head } = await follow(log);
    log.entries.pop();
    expect((await follow(log, head)).fault).toBe('rollback');
    log.entries.pop();
    expect((await follow(log, head)).fault).toBe('rollback');
  });

  it('sees a fork of the same length, and of a longer one', async () => {
    const log = new TestLog().addManifest(kSigned);
    const { head } = await follow(log);
    const other = new TestLog().addManifest(signManifest({ serial: 9n }));
    expect((await follow(other, head)).fault).toBe('fork');
    other.addManifest(kSigned);
    expect((await follow(other, head)).fault).toBe('fork');
    // The known entry is shown, and what follows is of the other history.
    const both = new TestLog().addManifest(kSigned);
    both.entries.push(...other.entries.slice(2));
    expect((await follow(both, head)).fault).toBe('fork');
  });

  it('refuses each kind of bad entry', async () => {
    for (const spoil of [
      (log: TestLog) => {
        log.add({ kind: Kind.MANIFEST, n: 5n });
      },
      (log: TestLog) => {
        log.add({ kind: Kind.MANIFEST, previous: seedOf(3) });
      },
      (log: TestLog) => {
        log.add({ kind: Kind.MANIFEST, atMs: 1n });
      },
      (log: TestLog) => {
        log.add({ kind: Kind.UNSPECIFIED });
      },
      (log: TestLog) => {
        log.add({ kind: Kind.POLICY, policySha256: new Uint8Array(5) });
      },
      (log: TestLog) => {
        log.add({ kind: Kind.POLICY, summary: 'x'.repeat(2001) });
      },
      // Another key without saying so, and a change of key that the new key signs itself.
      (log: TestLog) => {
        log.add({ kind: Kind.POLICY, key: seedOf(3) });
      },
      (log: TestLog) => {
        log.add({ kind: Kind.KEY, key: new Uint8Array() });
      },
      (log: TestLog) => {
        log.seed = seedOf(2);
        log.add({ kind: Kind.KEY });
      },
      (log: TestLog) => {
        const last = log.entries.at(-1);
        if (last !== undefined) last.signature = new Uint8Array(64);
      },
    ]) {
      const log = new TestLog().addManifest(kSigned);
      spoil(log);
      expect((await follow(log)).fault, spoil.toString()).toBe('broken');
    }
  });

  it('a first entry must name its key', async () => {
    const log = new TestLog();
    log.entries.length = 0;
    log.add({ kind: Kind.MANIFEST });
    expect((await follow(log)).fault).toBe('broken');
  });

  it('ends with a server that shows nothing, or too much', async () => {
    const log = new TestLog().addManifest(kSigned);
    const nothing = () => Promise.resolve({ ...log.page(2), size: 5n });
    expect((await followLog(emptyHead(), nothing, verify)).fault).toBe('broken');
    const page = log.page(0);
    const much = { ...page, entries: Array.from({ length: 258 }, () => page.entries[0] as never) };
    expect((await followLog(emptyHead(), () => Promise.resolve(much), verify)).fault).toBe(
      'broken',
    );
  });
});
