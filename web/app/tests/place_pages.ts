import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { Role } from '../../sdk/src/gen/alcove/v1/common_pb';
import { startMock } from './mock_server';
import type { Mock, MockOptions } from './mock_server';
import { check, inspect, openPage, signIn } from './page_tools';
import type { Variant } from './page_tools';
import { Promises } from './promises';
import { kHallway, roomAs } from './scenes';

const kTexts = {
  textEn: 'Not offered there: a court would make us hand over names.\nSee the notice.',
  textFr: 'Non proposé là-bas : un tribunal nous ferait livrer des noms.\nVoir l’avis.',
};

/** What people see of the server's list of places, its key, its log, and its offer. */
export async function placePages(browser: Browser, variant: Variant, pictures: string | null) {
  await list(browser, variant, pictures);
  await away(browser, variant, pictures);
  await changedKey(browser, variant, pictures, false);
  await changedKey(browser, variant, pictures, true);
  await brokenLog(browser, variant, pictures);
  await wrongAnswer(browser, variant, pictures);
  await otherKeyThanTheLink(browser, variant, pictures);
  await offers(browser, variant, pictures);
}

async function open(browser: Browser, variant: Variant, more: Partial<MockOptions>) {
  const mock = await startMock({
    dist: resolve('dist'),
    room: () => roomAs(Role.LISTENER),
    hallway: kHallway,
    ...more,
  });
  const page = await openPage(browser, variant);
  return {
    ...{ mock, page },
    async close() {
      await page.context().close();
      mock.close();
    },
  };
}

async function list(browser: Browser, variant: Variant, pictures: string | null) {
  const promises = new Promises();
  const { mock, page, close } = await open(browser, variant, { promises });
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${mock.origin}/settings/places`);
  const log = page.locator('.facts dd').last();
  await log.filter({ hasText: '2' }).waitFor();
  const first = asked.find((path) => /^\/(v1|\.well-known)\//.test(path));
  check(first === '/.well-known/alcove/manifest', `the first request is ${String(first)}`);
  const shown = (await page.locator('main').textContent()) ?? '';
  const french = variant.locale.startsWith('fr');
  for (const words of ['198.51.100.8', 'AS64500', french ? 'Allemagne' : 'Germany']) {
    check(shown.includes(words), `the list of places does not say ${words}`);
  }
  check(shown.includes(french ? 'Chine' : 'China'), 'the policy is not in words');
  await page.locator('details summary').click();
  await inspect(page, variant, 'places', pictures);
  check((await page.locator('.state.good').count()) === 0, 'a first use counts as verified');
  await page.reload();
  await page.locator('.state.good').waitFor();
  promises.empty();
  await page.evaluate(() => {
    localStorage.removeItem('alcove.manifest');
  });
  await page.reload();
  await page.locator('.facts').waitFor();
  await inspect(page, variant, 'places-empty', pictures);
  await close();
}

async function away(browser: Browser, variant: Variant, pictures: string | null) {
  const promises = new Promises();
  promises.away = true;
  const { mock, page, close } = await open(browser, variant, { promises });
  await page.goto(mock.origin);
  await page.locator('section li').first().waitFor();
  await page.goto(`${mock.origin}/r/dusk`);
  await page.locator('.error').waitFor();
  check(await page.locator('form .primary').isDisabled(), 'one can join without a manifest');
  await inspect(page, variant, 'join-no-manifest', pictures);
  promises.away = false;
  await page.locator('.error button').click();
  await page.locator('.error').waitFor({ state: 'detached' });
  await page.locator('form .primary:enabled').waitFor();
  await signIn(page, mock);
  promises.away = true;
  await page.reload();
  await page.locator('.top button').click();
  await page.locator('dialog .error').waitFor();
  check(await page.locator('dialog .primary').isDisabled(), 'one can start without a manifest');
  await inspect(page, variant, 'start-no-manifest', pictures);
  await close();
}

async function visit(page: Page, mock: Mock) {
  await page.goto(`${mock.origin}/settings/places`);
  await page.locator('.facts dd').last().filter({ hasText: '2' }).waitFor();
}

async function changedKey(
  browser: Browser,
  variant: Variant,
  pictures: string | null,
  isSigned: boolean,
) {
  const promises = new Promises();
  const { mock, page, close } = await open(browser, variant, { promises });
  await visit(page, mock);
  promises.changeKey(isSigned);
  await page.goto(mock.origin);
  const dialog = page.locator('dialog');
  await dialog.waitFor();
  const leave = dialog.locator('.primary');
  await page.waitForFunction(() => document.activeElement?.classList.contains('primary') === true);
  check((await dialog.locator('code').count()) === 2, 'not both fingerprints are shown');
  const serious = await dialog.locator('.serious').count();
  check(isSigned ? serious === 0 : serious > 0, 'the softer warning is for signed changes alone');
  await inspect(page, variant, isSigned ? 'key-changed-signed' : 'key-changed', pictures);
  await leave.click();
  await dialog.waitFor({ state: 'detached' });
  await page.goto(`${mock.origin}/r/dusk`);
  await page.locator('form input').fill('Fay');
  await page.locator('form .primary:enabled').click();
  // The room was begun under the old key.
  await page.locator('.error').waitFor();
  await page.goto(`${mock.origin}/settings`);
  await dialog.waitFor();
  const trust = dialog.locator('button').last();
  check(await trust.isDisabled(), 'the new key is trusted with one press');
  await dialog.locator('input[type=checkbox]').check();
  await trust.click();
  await dialog.waitFor({ state: 'detached' });
  await page.reload();
  await page.locator('.state.good').waitFor();
  await close();
}

async function brokenLog(browser: Browser, variant: Variant, pictures: string | null) {
  const promises = new Promises();
  const { mock, page, close } = await open(browser, variant, { promises });
  await visit(page, mock);
  promises.rollBack();
  await page.goto(`${mock.origin}/settings/places`);
  const dialog = page.locator('dialog');
  await dialog.waitFor();
  await inspect(page, variant, 'log-rollback', pictures);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.locator('section').first().waitFor();
  await close();
}

async function tryToJoin(page: Page): Promise<string> {
  await page.locator('form input').fill('Fay');
  await page.locator('form .primary:enabled').click();
  await page.locator('.error').waitFor();
  return (await page.locator('.error').textContent()) ?? '';
}

/** The relay's answer names a place that is in no list. */
async function wrongAnswer(browser: Browser, variant: Variant, pictures: string | null) {
  const sdpAnswer = [
    ...['v=0', 'o=- 1 2 IN IP4 0.0.0.0', 's=-', 't=0 0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111'],
    ...['c=IN IP4 0.0.0.0', 'a=candidate:1 1 udp 1 198.51.100.8 7878 typ host'],
    ...['a=candidate:2 1 udp 2 203.0.113.7 7878 typ host', ''],
  ].join('\r\n');
  const { mock, page, close } = await open(browser, variant, { sdpAnswer });
  await page.addInitScript(() => {
    const given: string[] = [];
    const apply = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function (description) {
      given.push(description.sdp ?? '');
      return apply.call(this, description);
    };
    (window as unknown as { __given: string[] }).__given = given;
  });
  await page.goto(`${mock.origin}/r/dusk`);
  const said = await tryToJoin(page);
  check(said.includes('203.0.113.7'), `a refused answer is told as ${said}`);
  const given = await page.evaluate(() => (window as unknown as { __given: string[] }).__given);
  check(given.length === 0, 'the browser was given an answer that is refused');
  await inspect(page, variant, 'join-refused', pictures);
  await page.locator('form a[href="/settings/places"]').click();
  await page.locator('main h2').waitFor();
  await close();
}

async function otherKeyThanTheLink(browser: Browser, variant: Variant, pictures: string | null) {
  const promises = new Promises();
  const { mock, page, close } = await open(browser, variant, { promises });
  promises.changeKey(false);
  await page.goto(`${mock.origin}/r/dusk#${promises.fragment}`);
  const said = await tryToJoin(page);
  const words = variant.locale.startsWith('fr') ? 'promise par le lien' : 'the link promises';
  check(said.includes(words), `another key than the link's is told as ${said}`);
  await inspect(page, variant, 'join-other-key', pictures);
  await close();
}

async function offers(browser: Browser, variant: Variant, pictures: string | null) {
  const warned = await open(browser, variant, { notice: kTexts });
  const { page } = warned;
  const french = variant.locale.startsWith('fr');
  await page.goto(warned.mock.origin);
  await page.locator('aside').waitFor();
  const notice = (await page.locator('aside').textContent()) ?? '';
  check(notice.includes(french ? 'tribunal' : 'court'), 'the notice is in another language');
  await inspect(page, variant, 'offer-notice', pictures);
  await page.locator('aside button').click();
  await page.locator('aside').waitFor({ state: 'detached' });
  await page.reload();
  await page.waitForLoadState('networkidle');
  check((await page.locator('aside').count()) === 0, 'a notice that was read comes again');
  await warned.close();

  const denied = await open(browser, variant, { denied: kTexts });
  await denied.page.goto(denied.mock.origin);
  await denied.page.locator('main.narrow h1').waitFor();
  const said = (await denied.page.locator('main').textContent()) ?? '';
  check(said.includes(french ? 'tribunal' : 'court'), 'the refusal is in another language');
  await inspect(denied.page, variant, 'offer-denied', pictures);
  await denied.close();
}
