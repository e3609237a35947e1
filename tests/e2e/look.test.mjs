// Themes, contrast, names of controls: what a machine can check of "looks good, works for all".
import assert from 'node:assert/strict';
import { inspect } from './inspect.mjs';
import { bubble, write } from './stage.mjs';

async function walkThrough(stage, colorScheme) {
  const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
  const chat = await stage.group(ada, 'Launch crew', [bob]);
  await stage.send(bob, chat.id, 'Good morning');
  await stage.send(bob, chat.id, 'an answer', { reply_to: 1 });
  await stage.call(
    'PUT',
    `/chats/${chat.id}/messages/1/reactions/${encodeURIComponent('👍')}`,
    ada.token,
  );
  const page = await stage.newPage({ colorScheme });
  await page.goto(`${stage.server.url}/chats`);
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
  await inspect(page, 'sign-in');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await inspect(page, 'sign-in with problems');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByRole('heading', { name: 'Create your account' }).waitFor();
  await inspect(page, 'sign-up');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByLabel('User name, e-mail or phone').fill(ada.username);
  await page.getByLabel('Password', { exact: true }).fill(ada.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('link', { name: /Launch crew/ }).waitFor();
  await inspect(page, 'list with unread');
  await page.getByRole('link', { name: /Launch crew/ }).click();
  await write(page, 'mine');
  await bubble(page, 'mine').locator('[data-state]').waitFor();
  await inspect(page, 'conversation');
  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await page.getByText('Leave group').waitFor();
  await inspect(page, 'details');
  await page.goto(`${stage.server.url}/settings`);
  await page.getByText('This device').waitFor();
  await inspect(page, 'settings');
  return page;
}

export const tests = {
  async 'light: contrast and names on every page'(stage) {
    await walkThrough(stage, 'light');
  },

  async 'dark: contrast and names on every page'(stage) {
    const page = await walkThrough(stage, 'dark');
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.match(ground, /^rgb\(1\d, 1\d, 2\d\)$/);
  },

  async 'with the colours of the system one sees what is chosen, and where a message ends'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    await stage.direct(ada, await stage.account('Cy'));
    await stage.send(bob, chat.id, 'hello');
    const page = await stage.browse(ada, `/c/${chat.id}`, { forcedColors: 'active' });
    await bubble(page, 'hello').waitFor();
    const style = (selector, name) =>
      page.locator(selector).first().evaluate((one, key) => getComputedStyle(one)[key], name);
    for (const kind of ['.chat-row', '.rail-link'])
      assert.notEqual(
        await style(`${kind}[aria-current]`, 'backgroundColor'),
        await style(`${kind}:not([aria-current])`, 'backgroundColor'),
        kind,
      );
    assert.equal(await style('.row .bubble', 'borderTopWidth'), '1px');
    await page.goto(`${stage.server.url}/settings`);
    const one = page.getByRole('switch', { name: 'Private account' });
    const ground = () => one.evaluate((it) => getComputedStyle(it).backgroundColor);
    const off = await ground();
    await one.check();
    assert.notEqual(await ground(), off, 'a switch');
  },

  async 'a chosen theme wins over the system and survives a reload'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada, '/settings', { colorScheme: 'light' });
    await page.getByText('Dark', { exact: true }).click();
    const dark = () => page.evaluate(() => document.documentElement.dataset.theme === 'dark');
    assert.ok(await dark());
    await page.reload();
    assert.ok(await dark());
  },
};
