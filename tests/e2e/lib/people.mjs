// What people do in the web app, by the accessible names that they read.
import { password, register } from './api.mjs';

export { password };
const button = (page, name) => page.getByRole('button', { name, exact: true });
const box = (page, name) => page.getByRole('textbox', { name, exact: true });
export const region = (page, name) => page.getByRole('region', { name, exact: true });
export { button, box };

let count = 0;
/** An account nobody else has; made over the API where a story is not about registering. */
export async function newAccount(origin, stem = 'ada') {
  const username = `${stem}${process.pid % 10000}${count++}`;
  await register(origin, username);
  return { username, password };
}

export async function logIn(page, origin, account) {
  await page.goto(`${origin}/login`);
  await box(page, 'Username').fill(account.username);
  await page.getByLabel('Password', { exact: true }).fill(account.password);
  await page.getByRole('main').getByRole('button', { name: 'Log in', exact: true }).click();
  await region(page, 'Hallway').waitFor();
}

/** Starts a room and goes on stage with the microphone on. Resolves to its link. */
export async function startRoom(page, title, { kind, goOnStage = true } = {}) {
  await button(page, 'Start a room').first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Room title', exact: true }).fill(title);
  if (kind) await dialog.getByRole('radio', { name: kind }).check();
  await dialog.getByRole('button', { name: 'Start a room', exact: true }).click();
  await region(page, 'Stage').waitFor();
  if (goOnStage) await passDeviceCheck(page);
  return page.url().split('#')[0];
}

/** The device check before the stage; afterwards the microphone is on. */
export async function passDeviceCheck(page) {
  await button(page, 'Go on stage').click();
  await button(page, 'Mute').waitFor();
}

export async function joinByLink(page, link, name) {
  await page.goto(link);
  await box(page, 'Your name').fill(name);
  await button(page, 'Join').click();
  await region(page, 'Stage').waitFor();
}

/** A raises a hand, the moderator invites, A accepts and passes the device check. */
export async function bringToStage(moderatorPage, page) {
  await button(page, 'Raise hand').click();
  await region(moderatorPage, 'Raised hands').getByRole('button', { name: 'Invite to stage', exact: true }).first().click();
  await button(page, 'Accept').click();
  await passDeviceCheck(page);
}

/** Opens the menu of a person on stage, where their tile has one. */
export async function openMenuOf(page, name) {
  await region(page, 'Stage').getByRole('button', { name: new RegExp(name) }).first().click();
}
