import assert from 'node:assert/strict';
import { overflows, phone } from './inspect.mjs';
import { bubble, chatLink, until, write } from './stage.mjs';

export const tests = {
  async 'one pane at a time, with a way back, nothing wider than the screen'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(bob, ada);
    await stage.send(bob, chat.id, 'averyveryverylongword'.repeat(12));
    await stage.send(bob, chat.id, 'Are you on the train already? '.repeat(5));
    const page = await stage.browse(ada, '/chats', phone);
    assert.equal(await overflows(page), null);
    await chatLink(page, 'Bob').tap();
    await bubble(page, 'on the train').waitFor();
    assert.ok(!(await page.getByRole('navigation', { name: 'Chats' }).isVisible()));
    assert.equal(await overflows(page), null);
    await write(page, 'Yes!');
    await bubble(page, 'Yes!').locator('[data-state]').waitFor();
    await page.getByRole('button', { name: 'Details', exact: true }).tap();
    await page.getByRole('complementary', { name: 'Details' }).waitFor();
    await until('the panel has arrived and fits', async () => !(await overflows(page)));
    await page.getByRole('button', { name: 'Close details' }).tap();
    await page.getByRole('button', { name: 'Back to chats' }).tap();
    await page.getByRole('navigation', { name: 'Chats' }).waitFor();
  },

  async 'a name without end breaks no page'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const full_name = 'W'.repeat(100);
    await stage.call('PATCH', '/users/me', bob.token, { full_name });
    await stage.call('PUT', `/users/${bob.id}/follow`, ada.token);
    const chat = await stage.group(bob, 'Crew', [ada]);
    await stage.send(bob, chat.id, 'Who am I?');
    const post = await stage.call('POST', '/posts', bob.token, { text: 'That is me.' });
    await stage.call('POST', `/posts/${post.id}/comments`, bob.token, { text: 'Me again.' });
    await stage.promote(ada, 'admin');
    for (const [path, words] of [
      [`/c/${chat.id}`, 'Who am I?'],
      ['/', 'That is me.'],
      [`/p/${post.id}`, 'Me again.'],
      ['/admin', `@${bob.username}`],
    ])
      for (const size of [phone, {}]) {
        const page = await stage.browse(ada, path, size);
        await page.locator('main').getByText(words).first().waitFor();
        assert.equal(await overflows(page), null, path);
        if (path !== '/admin') continue;
        const table = await page.locator('.table').evaluate((one) => one.scrollWidth);
        const room = await page.locator('.table-frame').evaluate((one) => one.clientWidth);
        assert.ok(table <= room, `the table is ${table} wide, there is room for ${room}`);
      }
  },

  async 'a tap shows what can be done with a message'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(bob, ada);
    await stage.send(bob, chat.id, 'tap me');
    const page = await stage.browse(ada, `/c/${chat.id}`, phone);
    await bubble(page, 'tap me').locator('.bubble').tap();
    await bubble(page, 'tap me').getByRole('button', { name: 'React' }).tap();
    await page.getByRole('button', { name: 'thumbs up' }).tap();
    await bubble(page, 'tap me').getByRole('button', { name: '👍, 1' }).waitFor();
  },

  async 'sign-in fits'(stage) {
    const page = await stage.newPage(phone);
    await page.goto(stage.server.url);
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    assert.equal(await overflows(page), null);
  },
};
