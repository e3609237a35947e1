import assert from 'node:assert/strict';
import { bubble, chatLink, composer, texts, until } from './stage.mjs';

async function long(stage, count) {
  const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
  const chat = await stage.direct(ada, bob);
  for (let seq = 1; seq <= count; seq++) {
    const filler = seq % 7 === 0 ? ' with more to say, enough for several lines.'.repeat(6) : '';
    await stage.send(seq % 3 ? ada : bob, chat.id, `message ${seq}${filler}`);
  }
  return { ada, bob, chat };
}

/** Scrolls up step by step; gives the largest unwanted movement of what was in view, in px. */
function scrollUp(page) {
  return page.evaluate(async () => {
    const view = document.querySelector('.viewport');
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    let worst = 0;
    let most = 0;
    const until = performance.now() + 60_000;
    while (performance.now() < until) {
      const edge = view.getBoundingClientRect().top;
      const row = [...document.querySelectorAll('.row[data-seq]')].find(
        (one) => one.getBoundingClientRect().top > edge + 100,
      );
      // Not the row: it loses the space above it when what comes before is of the same person.
      const bubble = row.querySelector('.bubble');
      const before = bubble.getBoundingClientRect().top;
      const from = view.scrollTop;
      view.scrollTop -= 320;
      const moved = from - view.scrollTop;
      await frame();
      await frame();
      if (bubble.isConnected)
        worst = Math.max(worst, Math.abs(bubble.getBoundingClientRect().top - before - moved));
      most = Math.max(most, document.querySelectorAll('.row').length);
      if (view.scrollTop === 0 && document.querySelector('.begin')) break;
    }
    return { worst, most, first: document.querySelector('.row[data-seq]').dataset.seq };
  });
}

export const tests = {
  async 'all the way back without a jump, drawing only what is near'(stage) {
    const { ada, chat } = await long(stage, 400);
    const page = await stage.browse(ada, `/c/${chat.id}`);
    await page.locator('[data-seq="400"]').waitFor();
    const { worst, most, first } = await scrollUp(page);
    assert.equal(first, '1');
    assert.ok(worst <= 2, `something moved by ${worst} px`);
    assert.ok(most < 120, `${most} rows were drawn`);
    await page.getByRole('button', { name: 'Jump to the newest message' }).click();
    await page.locator('[data-seq="400"]').waitFor();
  },

  async 'opens at the first unread message; new ones do not move the reader'(stage) {
    const { ada, bob, chat } = await long(stage, 60);
    await stage.call('PUT', `/chats/${chat.id}/read`, ada.token, { seq: 60 });
    for (let i = 61; i <= 100; i++) await stage.send(bob, chat.id, `unread ${i}`);
    const page = await stage.browse(ada);
    await chatLink(page, 'Bob').click();
    await page.getByRole('separator', { name: 'New messages' }).waitFor();
    await until('the line is in view', () =>
      page.evaluate(() => {
        const line = document.querySelector('.unread-line').getBoundingClientRect();
        const view = document.querySelector('.viewport').getBoundingClientRect();
        return line.top >= view.top && line.bottom <= view.bottom;
      }),
    );
    const place = () =>
      page.evaluate(() => document.querySelector('.unread-line').getBoundingClientRect().top);
    const before = await place();
    await stage.send(bob, chat.id, 'one more');
    await chatLink(page, 'one more').waitFor();
    assert.ok(Math.abs((await place()) - before) <= 1);
    await page.getByRole('button', { name: 'Jump to the newest message' }).click();
    await page.locator('[data-seq="101"]').waitFor();
    await until(
      'all is read',
      async () => (await stage.call('GET', `/chats/${chat.id}`, ada.token)).unread_count === 0,
    );
  },

  async 'a quote leads to a message far back'(stage) {
    const { ada, bob, chat } = await long(stage, 200);
    await stage.send(bob, chat.id, 'about that', { reply_to: 5 });
    const page = await stage.browse(ada, `/c/${chat.id}`);
    await page.locator('[data-seq="201"] .quote').click();
    await until('message 5 is in view', () =>
      page.evaluate(() => {
        const row = document.querySelector('[data-seq="5"]')?.getBoundingClientRect();
        return row && row.top > 0 && row.bottom < innerHeight;
      }),
    );
  },

  async 'a quote takes the focus along, but never from somebody who writes'(stage) {
    const { ada, bob, chat } = await long(stage, 60);
    await stage.send(bob, chat.id, 'about that', { reply_to: 5 });
    const page = await stage.browse(ada, `/c/${chat.id}`);
    const quote = page.locator('[data-seq="61"] .quote');
    await quote.click();
    await until('the focus is on message 5', () =>
      page.evaluate(() => document.activeElement?.dataset.seq === '5'),
    );
    await page.getByRole('button', { name: 'Jump to the newest message' }).click();
    await page.locator('.message.flash').waitFor({ state: 'detached' });
    await quote.click();
    await page.locator('.message.flash').waitFor();
    await composer(page).pressSequentially('here', { delay: 20 });
    await page.locator('.message.flash').waitFor({ state: 'detached' });
    await composer(page).evaluate(() => new Promise(requestAnimationFrame));
    await page.keyboard.type('r and e');
    assert.equal(await composer(page).inputValue(), 'herer and e');
  },

  async 'the way to a message far back is shown, and given up for whoever goes on'(stage) {
    const { ada, bob, chat } = await long(stage, 460);
    await stage.send(bob, chat.id, 'about that', { reply_to: 5 });
    const page = await stage.browse(ada, `/c/${chat.id}`);
    const quote = page.locator('[data-seq="461"] .quote');
    const looking = page.getByRole('status').filter({ hasText: 'Looking for the message' });
    await quote.waitFor();
    let asked = 0;
    let goOn;
    const held = new Promise((resolve) => (goOn = resolve));
    await page.route('**/messages?*after=*', async (route) => {
      asked++;
      await held;
      await route.continue().catch(() => undefined); // given up by the page
    });
    await quote.click();
    await looking.waitFor();
    await until('pages do not wait for one another', () => asked > 1);
    await composer(page).pressSequentially('no');
    await looking.waitFor({ state: 'detached' });
    goOn();
    assert.equal(await composer(page).inputValue(), 'no');
    await page.locator('[data-seq="461"]').waitFor();
    assert.equal(await page.locator('.message.flash').count(), 0);

    await quote.click();
    await until('the focus is on message 5', () =>
      page.evaluate(() => document.activeElement?.dataset.seq === '5'),
    );
    await looking.waitFor({ state: 'detached' });
    const { first } = await scrollUp(page);
    assert.equal(first, '1');
  },

  async 'a message that cannot be reached is said not to be'(stage) {
    const { ada, bob, chat } = await long(stage, 100);
    await stage.send(bob, chat.id, 'about that', { reply_to: 5 });
    const page = await stage.browse(ada, `/c/${chat.id}`);
    await page.route('**/messages?*after=*', (route) => route.fulfill({ status: 404, json: {} }));
    await page.locator('[data-seq="101"] .quote').click();
    await page.getByText('That message cannot be reached now').waitFor();
    await page.unroute('**/messages?*after=*');
    await page.locator('[data-seq="101"] .quote').click();
    await page.locator('[data-seq="5"] .message.flash').waitFor();
  },

  async 'what changes while the history is on its way is shown changed'(stage) {
    const { ada, bob, chat } = await long(stage, 2);
    const page = await stage.browse(ada);
    await stage.send(bob, chat.id, 'three');
    await chatLink(page, 'three').waitFor();
    let fetched = false;
    let goOn;
    const changed = new Promise((resolve) => (goOn = resolve));
    await page.route('**/messages?limit=50', async (route) => {
      const answer = await route.fetch();
      fetched = true;
      await changed;
      await route.fulfill({ response: answer });
    });
    await chatLink(page, 'three').click();
    await until('the history is read', () => fetched);
    await stage.call('PATCH', `/chats/${chat.id}/messages/3`, bob.token, { text: 'mended' });
    await chatLink(page, 'mended').waitFor();
    goOn();
    await bubble(page, 'mended').waitFor();
    assert.equal((await texts(page)).at(-1), 'mended');
  },
};
