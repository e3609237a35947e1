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
