// The web app as people meet it: accounts, hallway, guests, devices, keyboard, languages, screens, screen readers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { call } from './lib/api.mjs';
import { openChromium } from './lib/chromium.mjs';
import { joinAs, startRoomAs } from './lib/client.mjs';
import { firstSound, lastSound } from './lib/envelope.mjs';
import { box, bringToStage, button, joinByLink, logIn, newAccount, password, region, startRoom } from './lib/people.mjs';
import { until } from './lib/processes.mjs';
import { startServer } from './lib/server.mjs';
import { speechFile } from './lib/speech.mjs';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let server;
before(async () => { server = await startServer(); });
after(async () => { await server?.stop(); });

/** axe's violations on the page as it is; its script comes by the debugging protocol, past the page's policy. */
async function violations(page) {
  await page.evaluate(axeSource);
  // A dialog that still fades in has no contrast yet.
  await page.evaluate(() => Promise.all(document.getAnimations()
    .filter((animation) => animation.effect?.getComputedTiming().endTime !== Infinity).map((animation) => animation.finished.catch(() => undefined))));
  const results = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return results.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`);
}

async function assertFine(page, what) {
  assert.deepEqual(await violations(page), [], `axe on ${what}`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${what} scrolls sideways by ${overflow} px`);
}

test('register, start a room, and a guest joins by the link without an account or a microphone', { timeout: 90000 }, async (t) => {
  const host = await openChromium({ speak: speechFile('synthetic') });
  t.after(() => host.close());
  const { page } = host;
  await page.goto(`${server.origin}/register`);
  await box(page, 'Username').fill('grace');
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill(password);
  await button(page, 'Create account').click();
  await region(page, 'Hallway').waitFor();
  const link = await startRoom(page, 'First light');

  const guest = await openChromium();
  t.after(() => guest.close());
  const hosts = new Set();
  guest.page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await guest.context.addInitScript(() => {
    window.__asked = 0;
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (...args) => { window.__asked++; return ask(...args); };
  });
  await joinByLink(guest.page, link, 'Listening Lee');
  await region(guest.page, 'Stage').getByText('grace').first().waitFor();
  await region(page, 'Audience').getByText('Listening Lee').first().waitFor();
  await until('sound', async () => firstSound((await guest.heard()).frames) >= 0);
  assert.equal(await guest.page.evaluate(() => window.__asked), 0, 'a listener was asked for a microphone');
  assert.deepEqual([...hosts], [new URL(server.origin).host], 'a request went elsewhere');
  assert.deepEqual(guest.problems, []);

  const other = await openChromium();
  t.after(() => other.close());
  await logIn(other.page, server.origin, await newAccount(server.origin));
  await region(other.page, 'Hallway').getByText('First light').first().waitFor();
  await button(guest.page, 'Leave quietly').click();
  await until('the guest to be gone', async () => (await region(page, 'Audience').getByText('Listening Lee').count()) === 0);
});

test('sessions are listed and revoked; a revoked one is out at once', { timeout: 60000 }, async (t) => {
  const account = await newAccount(server.origin);
  const first = await openChromium();
  t.after(() => first.close());
  await logIn(first.page, server.origin, account);
  const second = await call(server.origin, 'POST', '/v1/sessions', { body: { ...account, deviceName: 'A lost phone' } });
  await first.page.goto(`${server.origin}/settings/sessions`);
  const row = first.page.getByRole('listitem').filter({ hasText: 'A lost phone' });
  await row.waitFor();
  await assertFine(first.page, 'the sessions page');
  await row.getByRole('button', { name: /End session/ }).click();
  await row.waitFor({ state: 'detached' });
  assert.equal((await call(server.origin, 'GET', '/v1/me', { token: second.json.token })).status, 401);
});

test('a refused microphone is explained in words, and the person stays in the room', { timeout: 60000 }, async (t) => {
  const account = await newAccount(server.origin);
  const host = await openChromium({ microphone: false });
  t.after(() => host.close());
  await logIn(host.page, server.origin, account);
  await startRoom(host.page, 'No microphone', { goOnStage: false });
  await host.page.getByText('The microphone is blocked').first().waitFor();
  await assertFine(host.page, 'the refused microphone');
});

test('a missing microphone is explained in words', { timeout: 60000 }, async (t) => {
  const host = await openChromium();
  t.after(() => host.close());
  await host.context.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('none', 'NotFoundError'));
  });
  await logIn(host.page, server.origin, await newAccount(server.origin));
  await startRoom(host.page, 'No device', { goOnStage: false });
  await host.page.getByText('No microphone found').first().waitFor();
});

test('when the browser does not start sound by itself, one tap does', { timeout: 60000 }, async (t) => {
  const { client, link } = await startRoomAs(server.origin, {
    ...(await newAccount(server.origin)), title: 'Autoplay', speak: speechFile('synthetic'), loop: true, seconds: 50,
  });
  t.after(() => client.stop());
  const listener = await openChromium();
  t.after(() => listener.close());
  await listener.context.addInitScript(() => {
    // As a phone in low-power mode: sound wants a tap of its own.
    const play = HTMLMediaElement.prototype.play;
    let allowed = false;
    HTMLMediaElement.prototype.play = function () {
      return allowed ? play.call(this) : Promise.reject(new DOMException('not allowed', 'NotAllowedError'));
    };
    addEventListener('click', (event) => {
      if (event.target.closest?.('button')?.textContent.includes('Tap to listen')) allowed = true;
    }, true);
  });
  await joinByLink(listener.page, link, 'Listening Lee');
  await button(listener.page, 'Tap to listen').click();
  await until('the sound elements to play', () => listener.page.evaluate(() => [...document.querySelectorAll('audio')].some((a) => !a.paused)));
  await button(listener.page, 'Tap to listen').waitFor({ state: 'detached' });
});

test('the space bar is push-to-talk: heard while it is held', { timeout: 90000 }, async (t) => {
  const host = await openChromium();
  t.after(() => host.close());
  await logIn(host.page, server.origin, await newAccount(server.origin));
  const link = await startRoom(host.page, 'Push to talk');
  const speaker = await openChromium({ speak: speechFile('synthetic') });
  t.after(() => speaker.close());
  await joinByLink(speaker.page, link, 'Sam Speaker');
  await bringToStage(host.page, speaker.page);
  await button(speaker.page, 'Mute').click();
  await button(speaker.page, 'Unmute').waitFor();
  await wait(1500);
  const quiet = (await host.heard()).frames.length;
  await wait(1500);
  assert.equal(firstSound((await host.heard()).frames, quiet), -1, 'heard while muted');
  await speaker.page.locator('h1').first().click();
  await speaker.page.keyboard.down('Space');
  await until('the voice while the bar is held', async () => firstSound((await host.heard()).frames, quiet) >= 0, { timeout: 6000 });
  await speaker.page.keyboard.up('Space');
  const at = Date.now();
  await wait(2000);
  const { frames, times } = await host.heard();
  assert.ok(times[lastSound(frames)] - at < 500, 'heard after the bar was let go');
});

test('by keyboard alone: from the link into the room, hand up, and out', { timeout: 60000 }, async (t) => {
  const { client, link } = await startRoomAs(server.origin, { ...(await newAccount(server.origin)), title: 'By keyboard', seconds: 50 });
  t.after(() => client.stop());
  const listener = await openChromium();
  t.after(() => listener.close());
  const { page } = listener;
  await page.goto(link);
  await box(page, 'Your name').waitFor();
  const tabTo = async (name) => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate(() => {
        const e = document.activeElement;
        return [e?.getAttribute('aria-label'), e?.labels?.[0]?.textContent, e?.textContent].filter(Boolean).map((s) => s.trim());
      });
      if (focused.includes(name)) return;
    }
    throw new Error(`Tab never reached "${name}"`);
  };
  await tabTo('Your name');
  await page.keyboard.type('Kay Board');
  await page.keyboard.press('Enter');
  await region(page, 'Stage').waitFor();
  await tabTo('Raise hand');
  await page.keyboard.press('Enter');
  await client.event('hand');
  await tabTo('Leave quietly');
  await page.keyboard.press('Enter');
  await page.getByText('You left quietly').first().waitFor();
});

for (const [language, locale] of [['English', 'en-GB'], ['French', 'fr-FR']]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`every page at 360 px, ${language}, ${colorScheme}: no axe violation, no sideways scrolling`, { timeout: 120000 }, async (t) => {
      const account = await newAccount(server.origin);
      const { client, link } = await startRoomAs(server.origin, {
        ...account, title: 'Une pièce / a room with a rather long title about nothing at all', seconds: 100,
      });
      t.after(() => client.stop());
      const { page, ...browser } = await openChromium({ locale, colorScheme, viewport: { width: 360, height: 740 } });
      t.after(() => browser.close());
      const lang = locale.slice(0, 2);
      for (const path of ['/', '/login', '/register', '/settings', '/nowhere', new URL(link).pathname]) {
        await page.goto(server.origin + path);
        await page.locator('h1').first().waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.lang), lang);
        await assertFine(page, `${path} (${lang}, ${colorScheme})`);
      }
      const name = page.getByRole('textbox').first();
      await name.fill('Noor');
      await page.keyboard.press('Enter');
      await page.getByRole('region').first().waitFor();
      const others = [];
      for (const someone of ['Ana', 'Bo']) others.push(joinAs(link, { name: someone, seconds: 60, extra: ['--raise-hand'] }));
      t.after(() => Promise.all(others.map((o) => o.stop())));
      await page.getByText('Ana').first().waitFor();
      await assertFine(page, `a room as listener (${lang}, ${colorScheme})`);
      client.say('invite Noor');
      await page.getByRole('button', { name: /^(Accept|Accepter)$/ }).waitFor();
      await assertFine(page, `an invitation (${lang}, ${colorScheme})`);
    });
  }
}

test('the moderator\'s view at 360 px and at 1280 px: no axe violation', { timeout: 90000 }, async (t) => {
  const host = await openChromium({ viewport: { width: 360, height: 740 } });
  t.after(() => host.close());
  await logIn(host.page, server.origin, await newAccount(server.origin));
  await button(host.page, 'Start a room').first().click();
  await host.page.getByRole('dialog').waitFor();
  await assertFine(host.page, 'the start dialog');
  await host.page.keyboard.press('Escape');
  const link = await startRoom(host.page, 'Moderated', { goOnStage: false });
  await button(host.page, 'Go on stage').waitFor();
  await assertFine(host.page, 'the device check');
  await button(host.page, 'Go on stage').click();
  const listener = joinAs(link, { name: 'Hana', seconds: 60, extra: ['--raise-hand'] });
  t.after(() => listener.stop());
  await region(host.page, 'Raised hands').getByText('Hana').first().waitFor();
  await assertFine(host.page, 'the moderator at 360 px');
  await host.page.setViewportSize({ width: 1280, height: 800 });
  await assertFine(host.page, 'the moderator at 1280 px');
});

test('the server sends the headers that it promises', async () => {
  const page = await fetch(`${server.origin}/`);
  const policy = page.headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.match(page.headers.get('permissions-policy'), /microphone=\(self\)/);
  assert.equal(page.headers.get('referrer-policy'), 'no-referrer');
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(page.headers.get('cache-control'), 'no-cache');
  const html = await page.text();
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)[1];
  const asset = await fetch(server.origin + script, { headers: { 'accept-encoding': 'br' } });
  assert.equal(asset.headers.get('content-encoding'), 'br');
  assert.match(asset.headers.get('cache-control'), /immutable/);
  assert.match(asset.headers.get('vary') ?? '', /accept-encoding/i);
  const again = await fetch(`${server.origin}/`, { headers: { 'if-none-match': page.headers.get('etag') } });
  assert.equal(again.status, 304);
  assert.equal((await fetch(`${server.origin}/v1/config`)).headers.get('cache-control'), 'no-store');
});
