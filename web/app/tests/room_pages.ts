import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { Role } from '../../sdk/src/gen/alcove/v1/common_pb';
import type { RoomEvent } from '../../sdk/src/gen/alcove/v1/events_pb';
import type { Scene } from './fake_room';
import { startMock } from './mock_server';
import { check, inspect, openPage, signIn } from './page_tools';
import type { Variant } from './page_tools';
import { kHallway, member, roomAs } from './scenes';

export interface RoomPage {
  page: Page;
  close(): Promise<void>;
}

/** Signed in as Ada, at the door of the room; pressed "Join". */
export async function enter(
  browser: Browser,
  variant: Variant,
  dist: string,
  scene: Scene,
): Promise<RoomPage> {
  const mock = await startMock({
    dist: resolve(dist),
    room: () => roomAs(scene.role),
    hallway: kHallway,
  });
  const page = await openPage(browser, variant, scene);
  await signIn(page, mock);
  await page.goto(`${mock.origin}/r/dusk`);
  await page.locator('form .primary').click();
  return {
    page,
    async close() {
      await page.context().close();
      mock.close();
    },
  };
}

/** The server's events, as far as they matter here. */
export async function send(page: Page, ...events: RoomEvent['event'][]) {
  await page.evaluate(
    (batch) => window.__room?.batch(batch.map((event) => ({ event }) as RoomEvent)),
    events,
  );
}

async function calls(page: Page): Promise<string[]> {
  return page.evaluate(() => window.__room?.calls ?? []);
}

export async function roomPages(
  browser: Browser,
  variant: Variant,
  dist: string,
  pictures: string | null,
  role: Role,
) {
  const room = await enter(browser, variant, dist, { role });
  const { page } = room;
  await page.locator('h1', { hasText: 'blue hour' }).waitFor();
  const show = (name: string) => inspect(page, variant, name, pictures);
  if (role === Role.LISTENER) await listenerPages(page, show);
  else await moderatorPages(page, show);
  await room.close();
}

type Show = (name: string) => Promise<void>;

async function listenerPages(page: Page, show: Show) {
  await show('listener');
  const self = member(40, 'Ada Lovelace', { handRaised: true, invited: true, username: 'ada' });
  const allowed = ['leave', 'lower_hand', 'accept_invitation', 'decline_invitation'];
  await send(
    page,
    { case: 'selfChanged', value: { self, allowedCommands: allowed } as never },
    {
      case: 'reactionsSent',
      value: { reactions: [{ reaction: 1, count: 2, memberIds: [1, 11] }] } as never,
    },
  );
  await page.locator('.dock .primary').first().waitFor();
  await page.waitForTimeout(300);
  await show('invited');
  await page.locator('.controls .react > button').click();
  await show('reactions');
  await page.locator('section li button').first().click();
  await show('member');
  await page.keyboard.press('Escape');
  await send(page, { case: 'roomEnded', value: { cause: 'ended' } as never });
  await page.locator('main.narrow h1').waitFor();
  await show('ended');
}

async function moderatorPages(page: Page, show: Show) {
  await page.locator('dialog').waitFor();
  await page.locator('dialog .primary:enabled').waitFor();
  await show('device');
  await page.locator('dialog .primary').click();
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.waitForTimeout(400);
  await show('moderator');
  await page.locator('section li button').nth(2).click();
  await show('member-moderated');
  await page.locator('dialog .danger').click();
  await page.locator('dialog .danger').click();
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.locator('.tools .lock').click();
  const asked = await calls(page);
  check(asked.join() === 'eject 3,setLocked true', `asked of the room: ${asked.join()}`);
  await page.locator('.tools > .danger').click();
  await show('end');
  await page.keyboard.press('Escape');
  await send(page, { case: 'removed', value: { cause: 'removed' } as never });
  await page.locator('main.narrow h1').waitFor();
  await show('removed');
}
