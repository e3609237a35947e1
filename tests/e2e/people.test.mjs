import assert from 'node:assert/strict';
import { inspect, overflows, phone } from './inspect.mjs';
import { until } from './stage.mjs';

const searchbox = (page) => page.getByRole('searchbox');

export const tests = {
  async 'as one types, by keyboard, and the way back finds the same'(stage) {
    const ada = await stage.account('Ada');
    const tag = Date.now().toString(36);
    for (const name of ['Zoe', 'Zoran', 'Zita'])
      await stage.call('POST', '/auth/signup', null, {
        username: `${name.toLowerCase()}${tag}`,
        password: 'correct horse battery',
        full_name: `${name} ${tag}`,
      });
    const page = await stage.browse(ada, '/people');
    await page.getByText('Who are you looking for?').waitFor();
    await searchbox(page).fill('');
    await searchbox(page).pressSequentially(tag);
    const results = page.getByRole('list', { name: 'People' }).getByRole('link');
    await until('all three', async () => (await results.count()) === 3);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const second = await page.evaluate(() => document.activeElement.innerText);
    await page.waitForURL(`**/people?q=${tag}`);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Message' }).waitFor();
    assert.ok(second.includes(await page.getByRole('heading', { level: 1 }).innerText()));
    await page.goBack();
    await until('the results again', async () => (await results.count()) === 3);
    await searchbox(page).fill('nobodyiscalledlikethis');
    await page.getByText('Nobody found for').waitFor();
  },

  async 'Ctrl+K finds people from everywhere'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada, '/');
    await page.getByText('Your feed is still quiet').waitFor();
    await page.keyboard.press('Control+k');
    await until('the field has the focus', () =>
      page.evaluate(() => document.activeElement.type === 'search'),
    );
  },

  async 'the look holds'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    await stage.call('PATCH', '/users/me', ada.token, { is_private: true });
    await stage.call('PUT', `/users/${ada.id}/follow`, bob.token);
    for (const [colorScheme, more] of [
      ['light', {}],
      ['dark', phone],
    ]) {
      const page = await stage.browse(ada, `/people?q=${bob.username}`, { colorScheme, ...more });
      await page.getByRole('main').getByRole('link', { name: /Bob/ }).waitFor();
      await inspect(page, `search, ${colorScheme}`);
      assert.equal(await overflows(page), null);
      await page
        .getByRole('main')
        .getByRole('link', { name: /Requests/ })
        .click();
      await page.getByRole('button', { name: 'Accept' }).waitFor();
      await inspect(page, `requests, ${colorScheme}`);
      assert.equal(await overflows(page), null);
    }
  },
};
