import assert from 'node:assert/strict';
import { inspect, overflows, phone } from './inspect.mjs';
import { until } from './stage.mjs';

const comment = (page, text) =>
  page.locator('article.comment').filter({ has: page.locator('.rich', { hasText: text }) });

async function scene(stage) {
  const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
  const post = await stage.call('POST', '/posts', bob.token, { text: 'What do you think?' });
  return { ada, bob, post };
}

const say = (stage, person, post, text, reply_to) =>
  stage.call('POST', `/posts/${post.id}/comments`, person.token, {
    text,
    ...(reply_to ? { reply_to } : {}),
  });

export const tests = {
  async 'comment, answer, edit, delete'(stage) {
    const { ada, bob, post } = await scene(stage);
    const page = await stage.browse(ada, `/p/${post.id}`);
    await page.getByText('Yours could be the first word').waitFor();
    await page.getByRole('textbox', { name: 'Write a comment' }).fill('I think so.');
    await page.getByRole('button', { name: 'Send' }).click();
    await comment(page, 'I think so.').waitFor();
    await page.getByRole('heading', { name: '1 comment' }).waitFor();

    await comment(page, 'I think so.').getByRole('button', { name: 'Reply' }).click();
    await page.keyboard.type('Or perhaps not.');
    await page.keyboard.press('Control+Enter');
    await comment(page, 'Or perhaps not.').waitFor();
    const { items } = await stage.call('GET', `/posts/${post.id}/comments`, bob.token);
    assert.equal(items.length, 1);
    assert.equal(items[0].reply_count, 1);

    await comment(page, 'Or perhaps not.')
      .getByRole('button', { name: /^More about/ })
      .click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await page.getByRole('textbox', { name: 'Text of the comment' }).fill('Or surely not.');
    await page.getByRole('button', { name: 'Save' }).click();
    await comment(page, 'Or surely not.').getByText('edited').waitFor();

    await comment(page, 'I think so.')
      .getByRole('button', { name: /^More about/ })
      .first()
      .click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('This comment was deleted.').waitFor();
    await comment(page, 'Or surely not.').waitFor();
  },

  async 'what others say arrives while one looks, at its place'(stage) {
    const { ada, bob, post } = await scene(stage);
    const first = await say(stage, bob, post, 'The first word');
    const page = await stage.browse(ada, `/p/${post.id}`);
    await comment(page, 'The first word').waitFor();
    await until('it is live', async () => {
      await say(stage, bob, post, 'Another word');
      return (await comment(page, 'Another word').count()) > 0;
    });
    const answer = await say(stage, ada, post, 'An answer to the first', first.id);
    await page.getByRole('button', { name: '1 reply' }).click();
    await comment(page, 'An answer to the first').waitFor();
    await say(stage, bob, post, 'And one to that', answer.id);
    await page.getByRole('button', { name: '1 reply' }).click();
    await comment(page, 'And one to that').waitFor();
    await stage.call('PATCH', `/posts/${post.id}/comments/${first.id}`, bob.token, {
      text: 'The first word, improved',
    });
    await comment(page, 'The first word, improved').waitFor();
    await stage.call('DELETE', `/posts/${post.id}/comments/${first.id}`, bob.token);
    await page.getByText('This comment was deleted.').waitFor();
    await comment(page, 'And one to that').waitFor();
  },

  async 'what came while the server was away is there afterwards'(stage) {
    const { ada, bob, post } = await scene(stage);
    const page = await stage.browse(ada, `/p/${post.id}`);
    await page.getByText('Yours could be the first word').waitFor();
    await stage.server.kill();
    await page.getByText('Reconnecting').waitFor();
    await stage.server.start();
    await say(stage, bob, post, 'Said while you were away');
    await comment(page, 'Said while you were away').waitFor({ timeout: 30_000 });
  },

  async 'a post that is not there says so'(stage) {
    const { ada, post, bob } = await scene(stage);
    await stage.call('DELETE', `/posts/${post.id}`, bob.token);
    const page = await stage.browse(ada, `/p/${post.id}`);
    await page.getByText('This post is not there').waitFor();
    await page.goto(`${stage.server.url}/no/such/page`);
    await page.getByText('There is nothing at this address').waitFor();
  },

  async 'a report reaches the moderators'(stage) {
    const { ada, post } = await scene(stage);
    const page = await stage.browse(ada, `/p/${post.id}`);
    await page.getByRole('button', { name: /^More about the post/ }).click();
    await page.getByRole('menuitem', { name: 'Report' }).click();
    await page.getByLabel('Abuse or harassment').check();
    await page.getByLabel('Anything to add?').fill('Not nice at all.');
    await inspect(page, 'report');
    await page.getByRole('button', { name: 'Send report' }).click();
    await page.getByText('The moderators will look at it').waitFor();
  },

  async 'the look holds, deep threads fit a phone'(stage) {
    const { ada, bob, post } = await scene(stage);
    let above = await say(stage, bob, post, 'depth 0');
    for (let depth = 1; depth < 7; depth++)
      above = await say(stage, depth % 2 ? ada : bob, post, `depth ${depth}`, above.id);
    const page = await stage.browse(ada, `/p/${post.id}`, { ...phone, colorScheme: 'dark' });
    for (let depth = 0; depth < 6; depth++) {
      await comment(page, `depth ${depth}`).waitFor();
      await page.getByRole('button', { name: '1 reply' }).tap();
    }
    await comment(page, 'depth 6').waitFor();
    await inspect(page, 'post');
    assert.equal(await overflows(page), null);
  },
};
