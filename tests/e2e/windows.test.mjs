// Several windows of one browser share the cookie and the storage; several people may share both.
import assert from 'node:assert/strict';
import { bubble, composer, signIn, texts, until, write } from './stage.mjs';

/** Another window of the same browser. */
async function window(stage, page, path) {
  const other = await page.context().newPage();
  other.setDefaultTimeout(15_000);
  other.on('pageerror', (problem) => stage.errors.push(`page error: ${problem.stack}`));
  stage.pages.push(other);
  await other.goto(stage.server.url + path);
  return other;
}

const stored = (page) => page.evaluate(() => JSON.stringify({ ...localStorage }));
const ownName = (page, person) =>
  page.locator('.rail').locator(`a[href="/u/${person.username}"]`).first();

const begun = (page) => page.getByText('the beginning of your conversation').waitFor();

async function endSessions(stage, person) {
  const { access_token } = await stage.call('POST', '/auth/login', null, {
    login: person.username,
    password: person.password,
  });
  const { items } = await stage.call('GET', '/auth/sessions', access_token);
  for (const session of items)
    if (!session.current) await stage.call('DELETE', `/auth/sessions/${session.id}`, access_token);
}

export const tests = {
  async 'who signs in last is who is there, in every window'(stage) {
    const [maya, tomas] = [await stage.account('Maya'), await stage.account('Tomas')];
    const one = await stage.newPage();
    await one.goto(stage.server.url);
    const other = await window(stage, one, '/');
    await signIn(one, maya);
    await ownName(one, maya).waitFor();
    await signIn(other, tomas);
    await ownName(other, tomas).waitFor();
    await ownName(one, tomas).waitFor();
    assert.equal(await ownName(one, maya).count(), 0);
  },

  async 'a renewal that finds another person does not go on under the old name'(stage) {
    const [maya, tomas] = [await stage.account('Maya'), await stage.account('Tomas')];
    const page = await stage.browse(maya, '/');
    await ownName(page, maya).waitFor();
    // A program that shares the cookie but not the storage's notes.
    await page.evaluate(
      ({ username: login, password }) =>
        fetch('/api/v1/auth/login', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-parley-cookie': 'refresh' },
          body: JSON.stringify({ login, password }),
        }),
      tomas,
    );
    // The access token is refused once, so it is renewed.
    await page.route('**/api/v1/posts', (route) => route.fulfill({ status: 401, body: '{}' }), {
      times: 1,
    });
    await page.getByLabel('Write a post').last().fill('Who am I?');
    await page.getByRole('button', { name: 'Post', exact: true }).click();
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    const { items } = await stage.call('GET', `/users/${tomas.id}/posts`, tomas.token);
    assert.deepEqual(items, []);
  },

  async 'signing out signs out every window at once'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    await stage.send(ada, chat.id, 'for us alone');
    const one = await stage.browse(ada, '/settings');
    const other = await window(stage, one, `/c/${chat.id}`);
    await bubble(other, 'for us alone').waitFor();
    // Nor does it need the server's word.
    await other.route('**/api/**', (route) => route.abort());
    await one.getByRole('button', { name: 'Sign out', exact: true }).click();
    await one.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await other.getByText('signed out in another window').waitFor();
    assert.equal(await bubble(other, 'for us alone').count(), 0);
  },

  async 'a session whose cookie is gone ends, without "Reconnecting"'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada);
    await page.context().clearCookies();
    await endSessions(stage, ada);
    await page.getByText('Your session has ended').waitFor();
  },

  async 'nothing of one person is shown to, or sent by, the next'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    const page = await stage.browse(ada, '/');
    await page.getByLabel('Write a post').last().fill('half a post');
    await page.goto(`${stage.server.url}/c/${chat.id}`);
    await begun(page);
    await stage.server.kill();
    await page.getByText('Reconnecting').waitFor();
    await write(page, 'never left');
    await page.locator('.row[data-state]', { hasText: 'never left' }).waitFor();
    await composer(page).fill('half a message');
    assert.match(await stored(page), /half a post/);
    assert.match(await stored(page), /never left/);

    // The session ends while nobody looks, so no window of hers can clear up behind her.
    await page.goto('about:blank');
    await stage.server.start();
    await endSessions(stage, ada);
    await page.goto(`${stage.server.url}/c/${chat.id}`);
    await signIn(page, bob);
    await composer(page).waitFor();
    assert.equal(await composer(page).inputValue(), '');
    assert.doesNotMatch(await stored(page), /half a|never left/);
    await write(page, 'from Bob');
    await bubble(page, 'from Bob').locator('[data-state=sent]').waitFor();
    assert.deepEqual(await texts(page), ['from Bob']);
    await page.goto(stage.server.url);
    assert.equal(await page.getByLabel('Write a post').last().inputValue(), '');
  },

  async 'drafts of two windows do not undo each other'(stage) {
    const [ada, bob, cy] = [
      await stage.account('Ada'),
      await stage.account('Bob'),
      await stage.account('Cy'),
    ];
    const [first, second] = [await stage.direct(ada, bob), await stage.direct(ada, cy)];
    const one = await stage.browse(ada, `/c/${first.id}`);
    const other = await window(stage, one, `/c/${second.id}`);
    await composer(one).fill('to Bob');
    await composer(other).fill('to Cy');
    await composer(one).fill('to Bob, more');
    await one.reload();
    await other.reload();
    await until('to Bob', async () => (await composer(one).inputValue()) === 'to Bob, more');
    await until('to Cy', async () => (await composer(other).inputValue()) === 'to Cy');
  },

  async 'unsent messages of two windows are all sent, once'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    const one = await stage.browse(ada, `/c/${chat.id}`);
    const other = await window(stage, one, `/c/${chat.id}`);
    for (const page of [one, other]) await begun(page);
    await stage.server.kill();
    for (const page of [one, other]) await page.getByText('Reconnecting').waitFor();
    await write(one, 'from one');
    await write(other, 'from the other');
    await one.locator('.row[data-state]', { hasText: 'from one' }).waitFor();
    await other.locator('.row[data-state]', { hasText: 'from the other' }).waitFor();
    // The one that wrote last to the storage is kept, the other one ends here.
    await one.close();
    stage.pages.splice(stage.pages.indexOf(one), 1);
    await stage.server.start();
    await other.reload();
    for (const text of ['from one', 'from the other'])
      await bubble(other, text).locator('[data-state=sent]').waitFor({ timeout: 30_000 });
    assert.equal(new Set(await texts(other)).size, 2);
  },
};
