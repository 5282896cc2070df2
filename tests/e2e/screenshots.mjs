// docs/screenshots: each page, light and dark, on a desktop and on a phone.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { call } from './lib/api.mjs';
import { openChromium } from './lib/chromium.mjs';
import { joinAs, startRoomAs } from './lib/client.mjs';
import { rootDirectory } from './lib/paths.mjs';
import { box, button, joinByLink, logIn, password, region } from './lib/people.mjs';
import { startServer } from './lib/server.mjs';
import { speechFile } from './lib/speech.mjs';

const out = join(rootDirectory, 'docs/screenshots');
mkdirSync(out, { recursive: true });
const server = await startServer();
const account = async (username, displayName) => {
  await call(server.origin, 'POST', '/v1/accounts', { body: { username, password, displayName } });
  return { username, password };
};

await account('mara', 'Mara Lindqvist');
const jun = await account('jun', 'Jun Aoki');
const other = await startRoomAs(server.origin, { ...jun, title: 'Learning to hear birds', seconds: 400 });
const host = await openChromium({ speak: speechFile('synthetic'), viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
await logIn(host.page, server.origin, { username: 'mara', password });
await button(host.page, 'Start a room').first().click();
const dialog = host.page.getByRole('dialog');
await dialog.getByRole('textbox', { name: 'Room title' }).fill('Night shift: letters from the lighthouse');
await host.page.screenshot({ path: join(out, 'start-light.png') });
await dialog.getByRole('button', { name: 'Start a room' }).click();
await button(host.page, 'Go on stage').waitFor();
await wait(600);
await host.page.screenshot({ path: join(out, 'device-light.png') });
await button(host.page, 'Go on stage').click();
const link = host.page.url();
const crowd = [];
for (const name of ['Ines', 'Tomasz', 'Oluwaseun', 'Claire D.', 'Ravi', 'Hanna', 'Beatriz', 'Noor', 'Emil', 'Sofia']) {
  crowd.push(joinAs(link, { name, seconds: 300, extra: name === 'Noor' || name === 'Emil' ? ['--raise-hand'] : [] }));
}
crowd.push(joinAs(link, { name: 'Amadou', seconds: 300, speak: speechFile('recorded'), loop: true, extra: ['--raise-hand', '--accept'] }));
await region(host.page, 'Raised hands').getByText('Amadou').first().waitFor();
await region(host.page, 'Raised hands').getByRole('listitem').filter({ hasText: 'Amadou' }).getByRole('button', { name: 'Invite to stage' }).click();
await region(host.page, 'Stage').getByText('Amadou').first().waitFor();
await region(host.page, 'Audience').getByText('Sofia').first().waitFor();
await wait(3000);

async function everyLook(page, name) {
  for (const [size, viewport] of [['', { width: 1280, height: 800 }], ['-phone', { width: 360, height: 740 }]]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await wait(700);
      await page.screenshot({ path: join(out, `${name}${size}-${colorScheme}.png`) });
    }
  }
}

await everyLook(host.page, 'room');
await button(host.page, 'End-to-end encrypted').click();
await host.page.getByRole('dialog').waitFor();
await everyLook(host.page, 'safety');
await host.page.keyboard.press('Escape');
const guest = await openChromium({ viewport: { width: 1280, height: 800 } });
await guest.page.goto(server.origin);
await region(guest.page, 'Hallway').getByText('Night shift').first().waitFor();
await everyLook(guest.page, 'hallway');
await guest.page.goto(link);
await box(guest.page, 'Your name').waitFor();
await everyLook(guest.page, 'join');
await joinByLink(guest.page, link, 'Yuki');
await wait(1500);
await everyLook(guest.page, 'listening');
await Promise.all([...crowd, other.client].map((client) => client.stop()));
await host.close();
await guest.close();
await server.stop();
process.exit(0);
