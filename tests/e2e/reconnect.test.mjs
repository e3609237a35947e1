import assert from 'node:assert/strict';
import { bubble, composer, texts, until, write } from './stage.mjs';

export const tests = {
  async 'the server is killed and comes back: a quiet word, then nothing is missing'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    const one = await stage.browse(ada, `/c/${chat.id}`);
    const other = await stage.browse(bob, `/c/${chat.id}`);
    await composer(one).waitFor();
    await composer(other).waitFor();
    await write(one, 'before');
    await bubble(other, 'before').waitFor();

    for (let round = 1; round <= 2; round++) {
      await stage.server.kill();
      await one.getByText('Reconnecting').waitFor();
      await write(one, `written without a server ${round}`);
      await write(other, `me too ${round}`);
      await one.locator('.row[data-state]', { hasText: `without a server ${round}` }).waitFor();
      await stage.server.start();
      await bubble(other, `written without a server ${round}`).waitFor({ timeout: 30_000 });
      await bubble(one, `me too ${round}`).waitFor({ timeout: 30_000 });
      await one.getByText('Reconnecting').waitFor({ state: 'detached' });
    }
    await write(other, 'after');
    await bubble(one, 'after').waitFor();

    const stored = (
      await stage.call('GET', `/chats/${chat.id}/messages?after=0`, await token(stage, ada))
    ).items.map((message) => message.text);
    assert.equal(stored.length, 6);
    assert.equal(new Set(stored).size, 6, 'nothing twice');
    await until(
      'both show what is stored',
      async () =>
        JSON.stringify(await texts(one)) === JSON.stringify(stored) &&
        JSON.stringify(await texts(other)) === JSON.stringify(stored),
    );
  },

  async 'what was not sent survives the page'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.direct(ada, bob);
    const page = await stage.browse(ada, `/c/${chat.id}`);
    await composer(page).waitFor();
    await stage.server.kill();
    await page.getByText('Reconnecting').waitFor();
    await write(page, 'kept over the reload');
    await until('it is kept', () =>
      page.evaluate(() => Object.keys(localStorage).some((key) => key.includes('.unsent.'))),
    );
    await stage.server.start();
    await page.reload();
    await until(
      'it has been sent, once',
      async () => {
        const { items } = await stage.call(
          'GET',
          `/chats/${chat.id}/messages`,
          await token(stage, bob),
        );
        return items.length === 1 && items[0].text === 'kept over the reload';
      },
      30_000,
    );
    await bubble(page, 'kept over the reload').locator('[data-state=sent]').waitFor();
  },

  async 'a revoked device is signed out at once'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada);
    const fresh = await token(stage, ada);
    const { items } = await stage.call('GET', '/auth/sessions', fresh);
    for (const session of items)
      if (!session.current) await stage.call('DELETE', `/auth/sessions/${session.id}`, fresh);
    await page.getByText('Your session has ended').waitFor({ timeout: 30_000 });
  },
};

async function token(stage, person) {
  const answer = await stage.call('POST', '/auth/login', null, {
    login: person.username,
    password: person.password,
  });
  return answer.access_token;
}
