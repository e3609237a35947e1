import assert from 'node:assert/strict';
import { bubble, chatLink, composer, signIn, texts, until, write } from './stage.mjs';

async function two(stage) {
  const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
  const [one, other] = [await stage.browse(ada), await stage.browse(bob)];
  return { ada, bob, one, other };
}

async function find(page, person) {
  await page.getByRole('searchbox', { name: 'Search chats and people' }).fill(person.username);
  await page.getByRole('button', { name: new RegExp(person.username) }).click();
  await composer(page).waitFor();
}

export const tests = {
  async 'flags and keys are shown large, signs of writing are not'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    const large = ['🎉', '🇩🇪🇫🇷', '1️⃣', '👩‍👩‍👧', '❤'];
    const plain = ['™', '©', '12', 'ok', '🎉🎉🎉🎉'];
    for (const text of [...large, ...plain]) await stage.send(bob, chat.id, text);
    const page = await stage.browse(ada, `/c/${chat.id}`);
    await page.locator(`[data-seq="${large.length + plain.length}"]`).waitFor();
    const shown = await page.locator('.large-emoji > .text').allInnerTexts();
    assert.deepEqual(shown, large);
  },

  async 'words that run from right to left do so everywhere'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    await stage.send(bob, chat.id, 'שלום, this begins at the right');
    await stage.send(ada, chat.id, 'Hello שלום', { reply_to: 1 });
    const page = await stage.browse(ada, `/c/${chat.id}`);
    const way = (place) => place.evaluate((one) => getComputedStyle(one).direction);
    await page.locator('[data-seq="2"]').waitFor();
    assert.equal(await way(page.locator('[data-seq="1"] .bubble')), 'rtl');
    assert.equal(await way(page.locator('[data-seq="2"] .bubble')), 'ltr');
    assert.equal(await way(page.locator('[data-seq="2"] .quote .words')), 'rtl');
    await composer(page).fill('עברית');
    assert.equal(await way(composer(page)), 'rtl');
    await composer(page).press('Enter');
    await bubble(page, 'עברית').waitFor();
    assert.equal(await way(page.locator('.row .bubble').last()), 'rtl');
    const last = page.locator('.chat-row .last', { hasText: 'עברית' });
    await last.waitFor();
    assert.equal(await way(last), 'rtl', 'also with "You:" before it');
  },

  async 'find someone, write, read marks, typing, unread'(stage) {
    const { bob, one, other } = await two(stage);
    await find(one, bob);
    await write(one, 'Hello Bob');
    await bubble(one, 'Hello Bob').locator('[data-state=sent]').waitFor();
    await chatLink(other, 'Ada').getByText('1 unread').waitFor();
    await until('the title counts', async () => (await other.title()).startsWith('(1)'));

    await chatLink(other, 'Ada').click();
    await bubble(other, 'Hello Bob').waitFor();
    await bubble(one, 'Hello Bob').locator('[data-state=read]').waitFor();
    await chatLink(other, 'Ada').getByText('unread').waitFor({ state: 'detached' });

    await composer(other).pressSequentially('Hi');
    await one.getByText('Bob is typing').waitFor();
    await composer(other).press('Enter');
    await bubble(one, 'Hi').waitFor();
    await one.getByText('Bob is typing').waitFor({ state: 'detached' });
    assert.deepEqual(await texts(one), ['Hello Bob', 'Hi']);
    await until('a screen reader hears it', async () =>
      (await one.getByTestId('announcer').innerText()).includes('Bob: Hi'),
    );
  },

  async 'edit, delete, react, reply'(stage) {
    const { ada, bob, one, other } = await two(stage);
    const chat = await stage.direct(ada, bob);
    await chatLink(one, 'Bob').click();
    await chatLink(other, 'Ada').click();
    await write(one, 'first');
    await write(one, 'secnd');
    await bubble(other, 'secnd').waitFor();

    await composer(one).press('ArrowUp');
    await until(
      'the last message is in the field',
      async () => (await composer(one).inputValue()) === 'secnd',
    );
    await write(one, 'second');
    await bubble(other, 'second').getByText('edited').waitFor();

    await bubble(other, 'second').hover();
    await bubble(other, 'second').getByRole('button', { name: 'React' }).click();
    await other.getByRole('button', { name: 'heart' }).click();
    const mark = bubble(one, 'second').getByRole('button', { name: '❤️, 1' });
    await mark.waitFor();
    assert.equal(await mark.getAttribute('aria-pressed'), 'false');
    await bubble(other, 'second').getByRole('button', { name: '❤️, 1' }).click();
    await mark.waitFor({ state: 'detached' });

    await bubble(other, 'first').hover();
    await bubble(other, 'first').getByRole('button', { name: 'More actions' }).click();
    await other.getByRole('menuitem', { name: 'Reply' }).click();
    await write(other, 'an answer');
    await bubble(one, 'an answer').locator('.quote', { hasText: 'first' }).waitFor();

    await bubble(one, 'first').first().hover();
    await bubble(one, 'first').first().getByRole('button', { name: 'More actions' }).click();
    await one.getByRole('menuitem', { name: 'Delete' }).click();
    await one.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await other.getByText('This message was deleted').waitFor();
    await one.getByText('You deleted this message').waitFor();
    const stored = await stage.call('GET', `/chats/${chat.id}/messages`, ada.token);
    assert.equal(stored.items.length, 3);
  },

  async 'text is only ever text'(stage) {
    const { ada, bob, one } = await two(stage);
    await stage.direct(ada, bob);
    await chatLink(one, 'Bob').click();
    const words =
      '<img src=x onerror=alert(1)> <b>bold</b> javascript:alert(1) https://example.org/a?b=1.';
    await write(one, words);
    await bubble(one, 'onerror').waitFor();
    assert.equal(await one.locator('.bubble img, .bubble b').count(), 0);
    assert.deepEqual(await one.locator('.bubble a').evaluateAll((all) => all.map((a) => a.href)), [
      'https://example.org/a?b=1',
    ]);
  },

  async 'an address ends where it ends'(stage) {
    const { ada, bob, one } = await two(stage);
    const chat = await stage.direct(ada, bob);
    await stage.send(bob, chat.id, 'see https://example.org/a_(b), (or https://example.org/c). ok');
    await chatLink(one, 'Bob').click();
    const links = bubble(one, 'see').getByRole('link');
    await links.first().waitFor();
    assert.deepEqual(await links.evaluateAll((all) => all.map((link) => link.href)), [
      'https://example.org/a_(b)',
      'https://example.org/c',
    ]);
  },

  async 'at midnight, today is yesterday'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    await stage.send(bob, chat.id, 'before midnight');
    const page = await stage.newPage();
    await page.clock.install({ time: new Date().setHours(23, 58, 0, 0) });
    await page.goto(`${stage.server.url}/c/${chat.id}`);
    await signIn(page, ada);
    await page.locator('.day').getByText('Today').waitFor();
    await page.clock.fastForward(5 * 60_000);
    await page.locator('.day').getByText('Yesterday').waitFor();
    await chatLink(page, 'Bob').getByText('yesterday').waitFor();
  },

  async 'a draft survives the way to another chat and a reload'(stage) {
    const { ada, bob, one } = await two(stage);
    const cy = await stage.account('Cyril');
    await stage.direct(ada, bob);
    await stage.direct(ada, cy);
    await chatLink(one, 'Bob').click();
    await composer(one).fill('not yet sent');
    await chatLink(one, 'Cyril').click();
    await until('an empty field', async () => (await composer(one).inputValue()) === '');
    await chatLink(one, 'Bob').click();
    await until('the draft', async () => (await composer(one).inputValue()) === 'not yet sent');
    await one.reload();
    await until('the draft', async () => (await composer(one).inputValue()) === 'not yet sent');
  },
};
