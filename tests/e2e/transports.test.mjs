// The same page where sockets, or sockets and streams, do not get through.
import assert from 'node:assert/strict';
import { bubble, composer, texts, until, write } from './stage.mjs';

async function withoutSockets(stage, person, path, alsoWithout, requests, prepare) {
  const page = await stage.newPage();
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  await page.addInitScript(() => {
    window.WebSocket = class {
      readyState = 3;
      constructor() {
        setTimeout(() => this.onclose?.({ code: 1006, reason: '' }));
      }
      send() {}
      close() {}
    };
  });
  for (const pattern of alsoWithout) await page.route(pattern, (route) => route.abort());
  await prepare?.(page);
  await page.goto(stage.server.url + path);
  await page.getByLabel('User name, e-mail or phone').fill(person.username);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  return page;
}

async function talk(stage, alsoWithout, used) {
  const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
  const chat = await stage.direct(ada, bob);
  const requests = [];
  const page = await withoutSockets(stage, ada, `/c/${chat.id}`, alsoWithout, requests);
  await composer(page).waitFor();
  await until('the way round is found', () => requests.includes(used), 30_000);
  await stage.send(bob, chat.id, 'one');
  await bubble(page, 'one').waitFor({ timeout: 30_000 });
  await write(page, 'two');
  await bubble(page, 'two').locator('[data-state]').waitFor();
  await stage.send(bob, chat.id, 'three');
  await bubble(page, 'three').waitFor();

  await stage.server.kill();
  await page.getByText('Reconnecting').waitFor({ timeout: 60_000 });
  await write(page, 'four');
  await stage.server.start();
  await bubble(page, 'four').locator('[data-state]').waitFor({ timeout: 30_000 });
  await page.getByText('Reconnecting').waitFor({ state: 'detached', timeout: 30_000 });
  await stage.send(bob, chat.id, 'five');
  await bubble(page, 'five').waitFor({ timeout: 30_000 });
  assert.deepEqual(await texts(page), ['one', 'two', 'three', 'four', 'five']);
}

/** A page that has shown what `see` looks for, and does not hear anything before `goOn`. */
async function beforeTheFirstPosition(stage, person, path, see) {
  let asked = false;
  let goOn;
  const held = new Promise((resolve) => (goOn = resolve));
  const page = await withoutSockets(stage, person, path, ['**/api/v1/stream*'], [], (page) =>
    page.route('**/api/v1/updates*', async (route) => {
      asked = true;
      await held;
      await route.continue();
    }),
  );
  await see(page).waitFor();
  await until('the page asks where the stream is', () => asked, 30_000);
  return { page, goOn };
}

export const tests = {
  async 'a page asks for nothing that is not there'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    await stage.send(bob, chat.id, 'one');
    const page = await stage.browse(ada, '/');
    const [refused, ops] = [[], []];
    page.on('response', (answer) => answer.status() >= 400 && refused.push(answer.url()));
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => ops.push(payload.toString())),
    );
    await page.goto(`${stage.server.url}/c/${chat.id}`);
    await bubble(page, 'one').waitFor();
    await until('presence is asked for', () => ops.some((text) => text.includes('unknown_op')));
    await page.getByRole('link', { name: 'Home' }).click();
    await page.getByRole('button', { name: 'Add a story' }).waitFor();
    assert.deepEqual(refused, []);
  },

  async 'server-sent events, over a killed server'(stage) {
    await talk(stage, [], '/api/v1/stream');
  },

  async 'what happens in a chat before the first position is shown all the same'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    await stage.send(bob, chat.id, 'before');
    const { page, goOn } = await beforeTheFirstPosition(stage, ada, `/c/${chat.id}`, (page) =>
      bubble(page, 'before'),
    );
    await stage.send(bob, chat.id, 'between');
    await stage.call('PATCH', `/chats/${chat.id}/messages/1`, bob.token, { text: 'edited' });
    goOn();
    await bubble(page, 'between').waitFor();
    assert.deepEqual(await texts(page), ['edited', 'between']);
  },

  async 'what happens elsewhere before the first position is shown all the same'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    await stage.call('PUT', `/users/${bob.id}/follow`, ada.token);
    await stage.call('POST', '/posts', bob.token, { text: 'before' });
    const card = (page, text) => page.locator('article.post').filter({ hasText: text });
    const { page, goOn } = await beforeTheFirstPosition(stage, ada, '/', (page) =>
      card(page, 'before'),
    );
    await page.getByRole('button', { name: 'Add a story' }).waitFor();
    await stage.call('POST', '/posts', bob.token, { text: 'between' });
    const story = { text: 'It is snowing!', visibility: 'public' };
    await stage.call('POST', '/stories', bob.token, story);
    goOn();
    await card(page, 'between').waitFor();
    await page.getByRole('button', { name: 'Story by Bob, new' }).waitFor();
  },

  async 'long polling, over a killed server'(stage) {
    await talk(stage, ['**/api/v1/stream*'], '/api/v1/updates');
  },
};
