import assert from 'node:assert/strict';
import { inspect, overflows, phone } from './inspect.mjs';
import { until } from './stage.mjs';

const card = (page, text) => page.locator('article.post').filter({ hasText: text });
const field = (page) => page.getByRole('textbox', { name: 'Write a post' });

async function two(stage) {
  const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
  await stage.call('PUT', `/users/${bob.id}/follow`, ada.token);
  return { ada, bob };
}

const post = (stage, person, text, more = {}) =>
  stage.call('POST', '/posts', person.token, { text, ...more });

export const tests = {
  async 'write, like, bookmark, edit, delete'(stage) {
    const { ada, bob } = await two(stage);
    const page = await stage.browse(ada, '/');
    await page.getByText('Your feed is still quiet').waitFor();
    await field(page).fill('My first words here. #hello');
    await page.getByRole('button', { name: 'Post', exact: true }).click();
    const mine = card(page, 'My first words');
    await mine.waitFor();
    await mine.getByRole('link', { name: '#hello' }).waitFor();
    assert.equal(await field(page).inputValue(), '');
    await until('it is on the server', async () => {
      const { items } = await stage.call('GET', `/users/${ada.id}/posts`, ada.token);
      return items.length === 1 && items[0].tags[0] === 'hello';
    });

    await mine.getByRole('button', { name: 'Like, 0 likes' }).click();
    const liked = mine.getByRole('button', { name: 'Like, 1 like' });
    await liked.waitFor();
    assert.equal(await liked.getAttribute('aria-pressed'), 'true');
    await mine.getByRole('button', { name: 'Bookmark' }).click();

    await mine.getByRole('button', { name: /^More about/ }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await page.getByRole('textbox', { name: 'Text of the post' }).fill('My second words. #hello');
    await page.getByRole('button', { name: 'Save' }).click();
    const edited = card(page, 'My second words');
    await edited.getByRole('button', { name: 'edited' }).click();
    await page.getByRole('dialog').getByText('My first words').waitFor();
    await page.keyboard.press('Escape');

    await page.getByRole('link', { name: 'Bookmarks' }).click();
    await card(page, 'My second words').waitFor();
    await card(page, 'My second words').getByRole('link', { name: '#hello' }).click();
    await page.getByRole('heading', { name: '#hello', level: 1 }).waitFor();
    await card(page, 'My second words')
      .getByRole('button', { name: /^More about/ })
      .click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Post deleted.').waitFor();
    await page.getByText('No posts with #hello yet').waitFor();
    await until('it is gone', async () => {
      const { items } = await stage.call('GET', `/users/${ada.id}/posts`, bob.token);
      return items.length === 0;
    });
  },

  async 'new posts announce themselves, and nothing moves until one asks'(stage) {
    const { ada, bob } = await two(stage);
    for (let i = 1; i <= 6; i++) await post(stage, bob, `Post number ${i} by Bob`);
    const page = await stage.browse(ada, '/');
    await card(page, 'Post number 6').waitFor();
    await page.getByTestId('connection').waitFor({ state: 'attached' });
    const before = await card(page, 'Post number 6').boundingBox();
    for (const name of ['one', 'two', 'three']) await post(stage, bob, `Fresh ${name}`);
    await page.getByRole('button', { name: '3 new posts' }).waitFor();
    const after = await card(page, 'Post number 6').boundingBox();
    assert.equal(after.y, before.y, 'what is read stays where it is');
    await page.getByRole('button', { name: '3 new posts' }).click();
    await card(page, 'Fresh three').waitFor();
    const order = await page.locator('article.post .words').allInnerTexts();
    assert.deepEqual(order.slice(0, 4), [
      'Fresh three',
      'Fresh two',
      'Fresh one',
      'Post number 6 by Bob',
    ]);
  },

  async 'likes, edits and deletions of others arrive while one looks'(stage) {
    const { ada, bob } = await two(stage);
    const made = await post(stage, bob, 'Watch me change');
    const page = await stage.browse(ada, '/');
    await card(page, 'Watch me').waitFor();
    await until('a like arrives', async () => {
      await stage.call('PUT', `/posts/${made.id}/like`, bob.token);
      const there = await card(page, 'Watch me')
        .getByRole('button', { name: 'Like, 1 like' })
        .count();
      if (!there) await stage.call('DELETE', `/posts/${made.id}/like`, bob.token);
      return there;
    });
    await stage.call('PATCH', `/posts/${made.id}`, bob.token, { text: 'Changed while you looked' });
    await card(page, 'Changed while').waitFor();
    await stage.call('DELETE', `/posts/${made.id}`, bob.token);
    await card(page, 'Changed while').waitFor({ state: 'detached' });
  },

  async 'a like that the server refuses is taken back'(stage) {
    const { ada, bob } = await two(stage);
    await post(stage, bob, 'You cannot like this');
    const page = await stage.browse(ada, '/');
    await page.route('**/like', (route) =>
      route.fulfill({
        status: 422,
        contentType: 'application/problem+json',
        body: JSON.stringify({ status: 422, code: 'refused', detail: 'Not today.' }),
      }),
    );
    await card(page, 'You cannot').getByRole('button', { name: /^Like/ }).click();
    await page.getByText('Not today.').waitFor();
    await card(page, 'You cannot').getByRole('button', { name: 'Like, 0 likes' }).waitFor();
  },

  async 'the feed goes on as one scrolls, and is found again on the way back'(stage) {
    const { ada, bob } = await two(stage);
    for (let i = 1; i <= 50; i++) await post(stage, bob, `Number ${i} of many`);
    const page = await stage.browse(ada, '/');
    await card(page, 'Number 50 of many').waitFor();
    const scroll = page.locator('[data-scroller]');
    await until('the first post is reached', async () => {
      await scroll.evaluate((one) => one.scrollTo(0, one.scrollHeight));
      return (await card(page, 'Number 1 of many').count()) > 0;
    });
    assert.equal(await page.locator('article.post').count(), 50);
    await card(page, 'Number 7 of many').scrollIntoViewIfNeeded();
    const at = await scroll.evaluate((one) => one.scrollTop);
    await card(page, 'Number 7 of many').locator('.when').click();
    await page.getByRole('heading', { name: 'Post by Bob' }).waitFor();
    await page.goBack();
    await card(page, 'Number 7 of many').waitFor();
    const now = await scroll.evaluate((one) => one.scrollTop);
    assert.ok(Math.abs(now - at) < 40, `came back to ${now} instead of ${at}`);
  },

  async 'people are offered while a name is typed'(stage) {
    const { ada, bob } = await two(stage);
    const page = await stage.browse(ada, '/');
    await field(page).click();
    await field(page).pressSequentially(`Hello @${bob.username.slice(0, -2)}`);
    await page.getByRole('option', { name: new RegExp(bob.username) }).waitFor();
    await page.keyboard.press('Enter');
    await until(
      'the name is there',
      async () => (await field(page).inputValue()) === `Hello @${bob.username} `,
    );
    await page.keyboard.press('Control+Enter');
    await card(page, 'Hello')
      .getByRole('link', { name: `@${bob.username}` })
      .waitFor();
    const { items } = await stage.call('GET', `/users/${ada.id}/posts`, ada.token);
    assert.deepEqual(items[0].mentions, [bob.id]);
  },

  async 'a menu, and the dialog that it opens, give the focus back'(stage) {
    const { ada, bob } = await two(stage);
    await post(stage, bob, 'By keyboard');
    const page = await stage.browse(ada, '/');
    const more = card(page, 'By keyboard').getByRole('button', { name: /^More about/ });
    const back = () =>
      until('the focus is back', () => more.evaluate((one) => one === document.activeElement));
    await more.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Copy link' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Escape');
    await back();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Report' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Report' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await back();
  },

  async 'another tab begins at its top; the way back finds the place again'(stage) {
    const { ada, bob } = await two(stage);
    for (let i = 0; i < 14; i++) await post(stage, bob, `Words ${i}\n`.repeat(10));
    const page = await stage.browse(ada, '/');
    const json = await stage.call('GET', '/feed', ada.token);
    await page.route('**/posts/popular**', (route) => route.fulfill({ json }));
    const top = () => page.locator('[data-scroller]').evaluate((view) => view.scrollTop);
    await card(page, 'Words 13').first().waitFor();
    await page.locator('[data-scroller]').evaluate((view) => (view.scrollTop = 900));
    await page.getByRole('link', { name: 'Popular', exact: true }).click();
    await page.getByRole('list', { name: 'Popular posts' }).waitFor();
    assert.equal(await top(), 0);
    await page.goBack();
    await until('it is not at the top', async () => (await top()) > 0);
  },

  async 'popular posts have a page of their own; the look holds in both themes and on a phone'(
    stage,
  ) {
    const { ada, bob } = await two(stage);
    await post(stage, bob, 'Words for everybody, and averyveryverylongword'.repeat(4));
    await post(stage, bob, 'For those who follow only', { visibility: 'followers' });
    for (const [colorScheme, more] of [
      ['light', {}],
      ['dark', phone],
    ]) {
      const page = await stage.browse(ada, '/', { colorScheme, ...more });
      await card(page, 'For those who follow').waitFor();
      await field(page).fill('A #tag and a @name');
      await inspect(page, `feed, ${colorScheme}`);
      assert.equal(await overflows(page), null);
      await field(page).fill('');
      await page.getByRole('link', { name: 'Popular', exact: true }).click();
      await page.waitForURL('**/?tab=popular');
      await inspect(page, `popular, ${colorScheme}`);
    }
  },
};
