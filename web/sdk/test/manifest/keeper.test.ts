import { describe, expect, it, vi } from 'vitest';
import { AlcoveError } from '../../src/errors';
import type { SignedManifest } from '../../src/gen/alcove/v1/manifest_pb';
import { sha256 } from '../../src/keys/crypto';
import { ManifestKeeper } from '../../src/manifest/keeper';
import { MemoryPinStore, WebPinStore, parsePin, pinText } from '../../src/manifest/pins';
import { seedOf, signManifest, TestLog, verify } from './signing';

const kSigned = signManifest();
const kOther = signManifest({}, seedOf(2));

function serve(signed: SignedManifest, log: TestLog, pins = new MemoryPinStore()) {
  const server = { signed, log, asked: 0, away: false, logAway: false };
  const keeper = new ManifestKeeper({
    source: {
      manifest: () => {
        server.asked += 1;
        if (server.away) return Promise.reject(new AlcoveError('unavailable', 'network', 'away'));
        return Promise.resolve(server.signed);
      },
      transparencyLog: (from) =>
        server.logAway ? Promise.reject(new Error('away')) : Promise.resolve(server.log.page(from)),
    },
    pins,
    verify,
    nowMs: () => 5_000,
  });
  const settled = async () => {
    await keeper.load();
    await vi.waitFor(() => {
      expect(keeper.state.value.log.state).not.toBe('following');
    });
    return keeper.state.value;
  };
  return { server, keeper, settled, pins };
}

/** A browser that has been at the server before. */
async function visited() {
  const log = new TestLog().addManifest(kSigned);
  const { pins, settled } = serve(kSigned, log);
  await settled();
  return { log, pins };
}

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => '',
    (error: unknown) => (error as AlcoveError).reason,
  );

describe('ManifestKeeper', () => {
  it('remembers the key at the first use, and knows it at the next', async () => {
    const { log, pins } = await visited();
    expect(pins.load()).toMatchObject({ keyHash: sha256(kSigned.key), sinceMs: 5_000 });
    expect(pins.load()?.head?.size).toBe(2);
    const { settled, keeper } = serve(kSigned, log, pins);
    expect(await settled()).toMatchObject({ phase: 'ready', key: 'known', log: { size: 2 } });
    expect((await keeper.ready()).manifest.serial).toBe(7n);
  });

  it('asks once, and again only after it failed', async () => {
    const { server, keeper, settled } = serve(kSigned, new TestLog().addManifest(kSigned));
    server.away = true;
    await keeper.load();
    expect(keeper.state.value.phase).toBe('failed');
    expect(await reasonOf(keeper.ready())).toBe('manifest.unavailable');
    server.away = false;
    expect((await settled()).phase).toBe('ready');
    const { asked } = server;
    await keeper.load();
    await keeper.ready();
    expect(server.asked).toBe(asked);
  });

  it('has none where the manifest does not verify', async () => {
    const bad = signManifest({ version: 3 });
    const { keeper, pins } = serve(bad, new TestLog());
    await keeper.load();
    expect(keeper.state.value).toMatchObject({ phase: 'failed', verified: null });
    expect(await reasonOf(keeper.ready())).toBe('manifest.invalid');
    expect(pins.load()).toBeNull();
  });

  it('stops at a changed key, until the person trusts it', async () => {
    const { pins } = await visited();
    const other = new TestLog(seedOf(2)).addManifest(kOther).addManifest(kOther);
    const { keeper, settled } = serve(kOther, other, pins);
    expect(await settled()).toMatchObject({ phase: 'stopped', key: 'changed' });
    expect(keeper.state.value.changeIsSigned).toBe(false);
    expect(await reasonOf(keeper.ready())).toBe('manifest.key_changed');
    expect(pins.load()?.keyHash).toEqual(sha256(kSigned.key));
    keeper.trust();
    expect((await keeper.ready()).keyHash).toEqual(sha256(kOther.key));
    expect(pins.load()?.keyHash).toEqual(sha256(kOther.key));
  });

  it('says that the old key has signed the change', async () => {
    const { log, pins } = await visited();
    log.changeKey(seedOf(2)).addManifest(kOther);
    const { keeper, settled } = serve(kOther, log, pins);
    expect(await settled()).toMatchObject({ phase: 'stopped', changeIsSigned: true });
    keeper.trust();
    expect(pins.load()?.head?.size).toBe(4);
    expect((await serve(kOther, log, pins).settled()).phase).toBe('ready');
  });

  it('does not say so without the log, or where the log goes on to a third key', async () => {
    const { log, pins } = await visited();
    log.changeKey(seedOf(2)).changeKey(seedOf(3));
    const { settled } = serve(kOther, log, pins);
    expect(await settled()).toMatchObject({ phase: 'stopped', changeIsSigned: false });
    const away = serve(kOther, log, pins);
    away.server.logAway = true;
    expect(await away.settled()).toMatchObject({ phase: 'stopped', changeIsSigned: false });
  });

  it('stops at a log that was rolled back or forked', async () => {
    const { log, pins } = await visited();
    const before = pins.load();
    const other = new TestLog().addManifest(signManifest({ serial: 1n })).addManifest(kSigned);
    const forked = serve(kSigned, other, pins);
    expect(await forked.settled()).toMatchObject({ phase: 'stopped', log: { fault: 'fork' } });
    expect(await reasonOf(forked.keeper.ready())).toBe('manifest.log_fault');
    expect(pins.load()).toEqual(before);
    log.entries.pop();
    const short = serve(kSigned, log, pins);
    expect(await short.settled()).toMatchObject({ log: { fault: 'rollback' } });
    // Also a room whose link vouches for the key does not get past it.
    const hash = sha256(kSigned.key);
    expect(await reasonOf(short.keeper.readyFor(hash, true))).toBe('manifest.log_fault');
  });

  it('stops at a manifest that the log does not name last, or of a key not in force', async () => {
    const secret = signManifest({ serial: 8n });
    const { settled } = serve(secret, new TestLog().addManifest(kSigned));
    expect(await settled()).toMatchObject({ phase: 'stopped', log: { fault: 'unlogged' } });
    const old = serve(kSigned, new TestLog().addManifest(kSigned).addManifest(secret));
    expect(await old.settled()).toMatchObject({ log: { fault: 'unlogged' } });
    const gone = serve(kSigned, new TestLog().addManifest(kSigned).changeKey(seedOf(2)));
    expect(await gone.settled()).toMatchObject({ log: { fault: 'other-key' } });
  });

  it('takes a manifest that changed between its request and that of the log', async () => {
    const next = signManifest({ serial: 8n });
    const { server, keeper, settled } = serve(kSigned, new TestLog().addManifest(kSigned));
    server.log.addManifest(next);
    const first = keeper.load();
    server.signed = next;
    await first;
    expect(await settled()).toMatchObject({ phase: 'ready', log: { fault: null } });
    expect((await keeper.ready()).manifest.serial).toBe(8n);
  });

  it('goes on without a log that cannot be fetched, and says so', async () => {
    const { server, settled } = serve(kSigned, new TestLog());
    server.logAway = true;
    expect(await settled()).toMatchObject({ phase: 'ready', log: { state: 'unavailable' } });
  });

  it('what a link promises goes before what was known', async () => {
    const { pins } = await visited();
    const log = new TestLog(seedOf(2)).addManifest(kOther).addManifest(kOther);
    const { keeper, settled } = serve(kOther, log, pins);
    await settled();
    expect((await keeper.readyFor(sha256(kOther.key), true)).keyHash).toEqual(sha256(kOther.key));
    expect(await reasonOf(keeper.readyFor(sha256(kOther.key), false))).toBe('manifest.key_changed');
    expect(await reasonOf(keeper.readyFor(sha256(kSigned.key), true))).toBe(
      'manifest.link_mismatch',
    );
    expect(await reasonOf(keeper.readyFor(sha256(kSigned.key), false))).toBe(
      'manifest.room_mismatch',
    );
  });

  it('a genesis that promises nothing is as bad as another key', async () => {
    const { log, pins } = await visited();
    const { keeper, settled } = serve(kSigned, log, pins);
    await settled();
    const promised = (byLink: boolean) => reasonOf(keeper.readyFor(new Uint8Array(), byLink));
    expect(await promised(true)).toBe('manifest.link_mismatch');
    expect(await promised(false)).toBe('manifest.room_mismatch');
  });

  it('does not remember a key that the first link refuses', async () => {
    const pins = new MemoryPinStore();
    const { keeper, settled } = serve(kOther, new TestLog(seedOf(2)).addManifest(kOther), pins);
    await settled();
    expect(pins.load()).not.toBeNull();
    expect(await reasonOf(keeper.readyFor(sha256(kSigned.key), true))).toBe(
      'manifest.link_mismatch',
    );
    expect(pins.load()).toBeNull();
  });

  it('asks again before it says that a room promises another key', async () => {
    const { server, keeper, settled } = serve(kSigned, new TestLog().addManifest(kSigned));
    await settled();
    server.signed = kOther;
    server.log.changeKey(seedOf(2)).addManifest(kOther);
    const { keyHash } = await keeper.readyFor(sha256(kOther.key), true);
    expect(keyHash).toEqual(sha256(kOther.key));
  });

  it('refuses a lower serial under the same key, on this page and at the next visit', async () => {
    const older = signManifest({ serial: 6n });
    const log = new TestLog().addManifest(kSigned).addManifest(older);
    const { server, keeper, settled, pins } = serve(kSigned, new TestLog().addManifest(kSigned));
    await settled();
    expect(await keeper.refresh()).toBeNull();
    server.signed = older;
    server.log.addManifest(older);
    expect(await keeper.refresh()).toMatchObject({ reason: 'manifest.invalid' });
    expect((await keeper.ready()).manifest.serial).toBe(7n);
    const next = serve(older, log, pins);
    await next.keeper.load();
    expect(await reasonOf(next.keeper.ready())).toBe('manifest.invalid');
    expect(pins.load()?.serial).toBe(7n);
  });

  it('keeps a fault of the log when the log is then withheld', async () => {
    const secret = signManifest({ serial: 8n });
    const { server, keeper, settled } = serve(secret, new TestLog().addManifest(kSigned));
    await settled();
    server.logAway = true;
    await keeper.refresh();
    await vi.waitFor(() => {
      expect(keeper.state.value.log).toMatchObject({ state: 'unavailable', fault: 'unlogged' });
    });
    const promised = keeper.readyFor(sha256(secret.key), true);
    expect(await reasonOf(promised)).toBe('manifest.log_fault');
    keeper.trust();
    expect(keeper.state.value).toMatchObject({ phase: 'ready', log: { fault: null } });
  });

  it('refreshes: a newer manifest of the same key, and keeps the old one where there is none', async () => {
    const log = new TestLog().addManifest(kSigned);
    const { server, keeper, settled } = serve(kSigned, log);
    await settled();
    server.away = true;
    expect(await keeper.refresh()).toMatchObject({ code: 'unavailable' });
    expect((await keeper.ready()).manifest.serial).toBe(7n);
    server.away = false;
    server.signed = signManifest({ serial: 8n });
    log.addManifest(server.signed);
    await keeper.refresh();
    expect((await keeper.ready()).manifest.serial).toBe(8n);
  });
});

describe('pins', () => {
  it('last in a storage area, and are read strictly', async () => {
    const { pins } = await visited();
    const pin = pins.load();
    if (pin === null) throw new Error('no pin');
    const text = pinText(pin);
    expect(parsePin(text)).toEqual(pin);
    const items = new Map<string, string>();
    const area = {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => items.set(key, value),
    } as unknown as Storage;
    new WebPinStore(area).save(pin);
    expect(new WebPinStore(area).load()).toEqual(pin);
    const bad = ['', '{', 'null', '[]', '{"keyHash":"00"}', text.replace('sinceMs', 'x')];
    for (const other of bad) expect(parsePin(other)).toBeNull();
    expect(parsePin(text.replace(/"size":\d+/, '"size":-1'))?.head).toBeNull();
    const blocked = new WebPinStore({
      getItem: () => {
        throw new Error('blocked');
      },
    } as unknown as Storage);
    expect(blocked.load()).toBeNull();
    blocked.save(pin);
    expect(blocked.load()).toEqual(pin);
  });
});
