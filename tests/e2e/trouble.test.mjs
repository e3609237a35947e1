// What could not be loaded or said: a word about it, and a way out, wherever that happens.
import assert from 'node:assert/strict';
import { bubble, chatLink, composer, until } from './stage.mjs';

const again = (place) => place.getByRole('button', { name: 'Try again' });

/** Lets nothing through to these addresses before "Try again" is pressed, which the function it
 * gives does: a page may load by itself at any time, and must not heal without that. */
async function cut(page, glob) {
  const isPressed = () => page.evaluate(() => window.pressed === true);
  const decide = async (request) => ((await isPressed()) ? request.continue() : request.abort());
  const route = (request) => decide(request).catch(() => undefined); // the page is gone
  await page.route(glob, route);
  return async (place) => {
    await again(place).waitFor();
    await page.evaluate(() => {
      window.pressed = false;
      addEventListener('click', () => (window.pressed = true), { capture: true, once: true });
    });
    await again(place).click();
    await again(place).waitFor({ state: 'detached' });
    await page.unroute(glob, route);
  };
}

export const tests = {
  async 'each page says what it could not load, and tries again'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const group = await stage.group(ada, 'Crew', [bob]);
    const starts_at = new Date(Date.now() + 86_400_000).toISOString();
    const event = await stage.call('POST', '/events', ada.token, {
      title: 'A party',
      starts_at,
      ends_at: new Date(Date.parse(starts_at) + 3_600_000).toISOString(),
      time_zone: 'Europe/Berlin',
      visibility: 'public',
    });
    const page = await stage.browse(ada, '/people');
    const rows = [
      [`/u/${bob.username}`, '**/users/by-username/**', `@${bob.username}`],
      [`/people?q=${bob.username}`, '**/users?q=**', `@${bob.username}`],
      [`/events/${event.id}`, `**/api/v1/events/${event.id}`, 'A party'],
      [`/events/${event.id}`, '**/attendees?**', 'Nobody has answered yet'],
      ['/signals', '**/trade-signals/**', 'No signals yet'],
      ['/settings', '**/auth/sessions', 'This device'],
    ];
    for (const [path, glob, words] of rows) {
      const press = await cut(page, glob);
      await page.goto(stage.server.url + path);
      await press(page.locator('main'));
      await page.locator('main').getByText(words).first().waitFor();
    }
    const press = await cut(page, '**/members?**');
    await page.goto(`${stage.server.url}/c/${group.id}`);
    await page.getByRole('button', { name: 'Details', exact: true }).click();
    const details = page.getByRole('complementary', { name: 'Details' });
    await press(details);
    await details.getByText(`@${bob.username}`).waitFor();
  },

  async 'older messages that cannot be loaded say so'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    for (let seq = 1; seq <= 70; seq++) await stage.send(ada, chat.id, `message ${seq}`);
    const page = await stage.browse(ada);
    const press = await cut(page, '**/messages?*before=*');
    await chatLink(page, 'Bob').click();
    await page.locator('[data-seq="70"]').waitFor();
    await page.locator('.viewport').evaluate((view) => (view.scrollTop = 0));
    await press(page.locator('.log'));
    await page.locator('.viewport').evaluate((view) => (view.scrollTop = 0));
    await page.locator('[data-seq="1"]').waitFor();
  },

  async 'a note about a failure is in reach while a dialog is open'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada);
    await page.getByRole('button', { name: 'New chat' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'New chat' });
    await dialog.getByText('Group', { exact: true }).click();
    await dialog.getByLabel('Group name').fill('Nobody hears');
    await cut(page, '**/api/v1/chats');
    await dialog.getByRole('button', { name: 'Create group' }).click();
    const note = page.locator('.notice', { hasText: 'The chat could not be opened' });
    await note.waitFor();
    await note.getByRole('button', { name: 'Dismiss' }).click();
    await note.waitFor({ state: 'detached' });
    await dialog.waitFor();
  },

  async 'what was read while the server was away is said afterwards'(stage) {
    const [ada, bob, cy] = [
      await stage.account('Ada'),
      await stage.account('Bob'),
      await stage.account('Cy'),
    ];
    const chat = await stage.direct(ada, bob);
    const other = await stage.direct(ada, cy);
    const page = await stage.browse(ada, `/c/${chat.id}`);
    await page.getByText('the beginning of your conversation').waitFor();
    await chatLink(page, 'Cy').click();
    await page.waitForURL(`**/c/${other.id}`);
    await composer(page).waitFor();
    await stage.send(bob, chat.id, 'read me');
    const badge = chatLink(page, 'Bob').locator('.badge');
    await badge.waitFor();
    await stage.server.kill();
    await page.getByText('Reconnecting').waitFor();
    await chatLink(page, 'Bob').click();
    await bubble(page, 'read me').waitFor();
    await badge.waitFor({ state: 'detached' });
    await stage.server.start();
    const { access_token } = await stage.call('POST', '/auth/login', null, {
      login: ada.username,
      password: ada.password,
    });
    await until(
      'the server knows',
      async () => (await stage.call('GET', `/chats/${chat.id}`, access_token)).unread_count === 0,
      30_000,
    );
  },

  async 'a page that could not be fetched comes once the server is back'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada, '/chats');
    await page.locator('.sidebar').waitFor();
    await stage.server.kill();
    await page.getByText('Reconnecting').waitFor();
    await page.getByRole('link', { name: 'Signals' }).click();
    await page.getByText('This page could not be loaded').waitFor();
    await stage.server.start();
    await page.getByText('Reconnecting').waitFor({ state: 'detached', timeout: 30_000 });
    await page.getByRole('button', { name: 'New signal' }).waitFor();
  },

  async 'what was opened while the server was away comes once it is back'(stage) {
    const ada = await stage.account('Ada');
    const paths = ['/events', '/signals', '/bookmarks', `/u/${ada.username}`, '/'];
    const first = await stage.browse(ada, '/chats');
    const pages = [first];
    while (pages.length < paths.length) pages.push(await first.context().newPage());
    const link = (page, path) => page.locator(`.rail .rail-link[href="${path}"]`);
    const each = (act) => Promise.all(pages.map((page, at) => act(page, link(page, paths[at]))));
    const troubled = (page) => again(page.locator('main')).first().waitFor({ timeout: 30_000 });
    await each(async (page, opens) => {
      // The piece of the program is fetched, but nothing that it shows.
      await page.goto(`${stage.server.url}/chats`);
      await page.locator('.sidebar').waitFor();
      await page.route('**/api/v1/**', (route) => route.abort());
      await opens.click();
      await troubled(page);
      await link(page, '/chats').click();
      await page.locator('.sidebar').waitFor();
      await page.unroute('**/api/v1/**');
    });
    await stage.server.kill();
    await each(async (page, opens) => {
      await page.getByText('Reconnecting').waitFor();
      await opens.click();
      await troubled(page);
    });
    await stage.server.start();
    await each(async (page) => {
      await page.getByText('Reconnecting').waitFor({ state: 'detached', timeout: 30_000 });
      await again(page.locator('main')).waitFor({ state: 'detached' });
    });
    await pages[3].getByText('0 followers').waitFor();
  },

  async 'lists of people go on beyond their first page, and the badge counts on'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.newPage();
    const people = Array.from({ length: 60 }, (_, at) => ({
      id: `0190a6e2-8f3c-7d21-9b64-${String(at).padStart(12, '0')}`,
      username: `person${at}`,
      full_name: `Person ${at}`,
      created_at: '2026-01-01T00:00:00Z',
    }));
    const pages = (route) => {
      const from = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
      const next = from + 40 < people.length ? String(from + 40) : null;
      return route.fulfill({ json: { items: people.slice(from, from + 40), next_cursor: next } });
    };
    await page.route('**/followers?**', pages);
    await page.route('**/follow-requests**', pages);
    await page.goto(`${stage.server.url}/people`);
    await page.getByLabel('User name, e-mail or phone').fill(ada.username);
    await page.getByLabel('Password', { exact: true }).fill(ada.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('They follow you').first().waitFor();
    await page.locator('[data-scroller]').evaluate((view) => (view.scrollTop = view.scrollHeight));
    await page.getByText('Person 59').waitFor();
    assert.equal(await page.locator('.list-next').count(), 0);
    await page.locator('.rail').getByText('60 follow requests').waitFor({ state: 'attached' });
  },
};
