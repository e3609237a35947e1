import assert from 'node:assert/strict';
import { bubble, composer, texts, until } from './stage.mjs';

const focused = (page) =>
  page.evaluate(() => {
    const one = document.activeElement;
    return one.getAttribute('aria-label') ?? one.getAttribute('name') ?? one.innerText ?? '';
  });

export const tests = {
  async 'from sign-in to an edited message without a mouse'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const page = await stage.newPage();
    await page.goto(`${stage.server.url}/chats`);
    await until('the first field has the focus', async () => (await focused(page)) === 'login');
    await page.keyboard.type(ada.username);
    await page.keyboard.press('Tab');
    await page.keyboard.type(ada.password);
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Chats' }).waitFor();

    await page.keyboard.press('Control+k');
    await page.keyboard.type(bob.username);
    await page.getByRole('button', { name: new RegExp(bob.username) }).waitFor();
    await page.keyboard.press('Enter');
    await until(
      'the composer has the focus',
      async () => (await focused(page)) === 'Message to Bob',
    );
    await page.keyboard.type('hello');
    await page.keyboard.press('Enter');
    await bubble(page, 'hello').locator('[data-state=sent]').waitFor();
    await page.keyboard.type('line one');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('line two');
    await page.keyboard.press('Enter');
    await bubble(page, 'line two').locator('[data-state=sent]').waitFor();
    await page.keyboard.press('ArrowUp');
    await until('editing', async () => (await composer(page).inputValue()).startsWith('line one'));
    await page.keyboard.press('Escape');
    await until('no longer', async () => (await composer(page).inputValue()) === '');

    await page.locator('.row[tabindex="0"]').focus();
    await page.keyboard.press('ArrowUp');
    await until('the message above', async () => (await focused(page)).includes('hello'));
    await page.keyboard.press('r');
    await page.locator('.composer .context').waitFor();
    await page.keyboard.type('to you too');
    await page.keyboard.press('Enter');
    await bubble(page, 'to you too').locator('.quote').waitFor();
    assert.equal((await texts(page)).length, 3);
  },

  async 'the log is one stop for Tab, however long'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    for (let i = 1; i <= 12; i++)
      await stage.send(
        bob,
        chat.id,
        `see https://example.org/${i}`,
        i > 1 ? { reply_to: i - 1 } : {},
      );
    const page = await stage.browse(ada, `/c/${chat.id}`);
    await page.locator('[data-seq="12"]').waitFor();
    const stops = () =>
      page.evaluate(() => [
        ...new Set(
          [
            ...document.querySelectorAll(
              '.rows :is([tabindex="0"], button:not([tabindex="-1"]), a:not([tabindex="-1"]))',
            ),
          ].map((one) => one.closest('.row').dataset.seq),
        ),
      ]);
    assert.deepEqual(await stops(), ['12']);
    await page.locator('[data-seq="12"]').focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await until('the stop has moved along', async () => (await stops()).join() === '10');
  },

  async 'chats by Alt and arrows, lists by arrows'(stage) {
    const ada = await stage.account('Ada');
    const names = ['Bob', 'Cleo', 'Dan'];
    for (const name of names) {
      const chat = await stage.direct(ada, await stage.account(name));
      await stage.send(ada, chat.id, `to ${name}`);
    }
    const page = await stage.browse(ada);
    await page.getByRole('link', { name: /Dan/ }).waitFor();
    const order = ['Dan', 'Cleo', 'Bob'];
    for (const name of order) {
      await page.keyboard.press('Alt+ArrowDown');
      await page.getByRole('heading', { name, level: 1 }).waitFor();
    }
    await page.keyboard.press('Alt+ArrowUp');
    await page.getByRole('heading', { name: 'Cleo', level: 1 }).waitFor();
    await page.locator('.chat-row').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Cleo', level: 1 }).waitFor();
  },

  async 'Tab leaves a menu, and closes it'(stage) {
    const ada = await stage.account('Ada');
    const post = await stage.call('POST', '/posts', ada.token, { text: 'with a menu' });
    const page = await stage.browse(ada, `/p/${post.id}`);
    await page.getByRole('button', { name: /^More about/ }).focus();
    await page.keyboard.press('Enter');
    const items = page.getByRole('menuitem');
    await items.first().waitFor();
    for (let left = await items.count(); left > 0; left--) await page.keyboard.press('Tab');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    assert.notEqual(await page.evaluate(() => document.activeElement.tagName), 'BODY');
  },

  async 'dialogs and menus keep the focus and give it back'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada);
    const opener = page.getByRole('button', { name: 'New chat' }).first();
    await opener.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'New chat' }).waitFor();
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab');
      assert.ok(
        await page.evaluate(
          () =>
            document.activeElement === document.body ||
            document.activeElement.closest('dialog') !== null,
        ),
        'the focus stays inside',
      );
    }
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await focused(page), 'New chat');
  },
};
