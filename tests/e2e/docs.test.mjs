import assert from 'node:assert/strict';
import { inspect } from './inspect.mjs';
import { signIn, until } from './stage.mjs';

/** The target stands at the upper edge of the window, or as high as it can, and stays there. */
async function arrived(page, id) {
  const there = () =>
    page.evaluate(async (name) => {
      for (let frame = 0; frame < 20; frame++) {
        const top = document.getElementById(name)?.getBoundingClientRect().top ?? -9;
        const end = scrollY + innerHeight > document.documentElement.scrollHeight - 2;
        if (top < -8 || top > (end ? innerHeight - 100 : 120)) return false;
        await new Promise(requestAnimationFrame);
      }
      return true;
    }, id);
  await until(`${id} is where one looks`, there);
}

export const tests = {
  async 'links lead to their entry, however far down it is'(stage) {
    for (const viewport of [
      { width: 1280, height: 800 },
      { width: 390, height: 780 },
    ]) {
      const page = await stage.newPage({ reducedMotion: 'no-preference', viewport });
      await page.goto(`${stage.server.url}/docs#get_admin_connections`);
      await arrived(page, 'get_admin_connections');
      const links = page.getByRole('navigation', { name: 'Reference' }).locator('.links li a');
      for (const link of [links.nth(1), links.last(), links.nth(30)]) {
        const id = (await link.getAttribute('href')).slice(1);
        // On a phone the list is at the top of the page, where the reader is not.
        await link.evaluate((one) => one.click());
        await arrived(page, id);
        await page.evaluate(() => window.scrollBy(0, -3000));
        await link.evaluate((one) => one.click());
        await arrived(page, id);
      }
      const search = page.getByRole('searchbox');
      const top = await search.evaluate((one) => one.getBoundingClientRect().top);
      assert.ok(top >= 0 && top < 120, 'the search is in reach');
    }
  },

  async 'everything the server describes is there, and can be searched'(stage) {
    const api = await (await fetch(`${stage.server.url}/api/v1/openapi.json`)).json();
    const count = Object.values(api.paths).reduce((sum, item) => sum + Object.keys(item).length, 0);
    const page = await stage.newPage();
    await page.goto(`${stage.server.url}/docs`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    assert.equal(await page.locator('article.operation .verb:not(.op, .event)').count(), count);
    assert.ok((await page.locator('article.operation .verb.event').count()) > 5, 'realtime events');
    await page.getByRole('searchbox').fill('reactions put');
    await page.locator('article.operation').first().waitFor();
    assert.equal(await page.locator('article.operation').count(), 1);
    await page.getByRole('searchbox').fill('export everything');
    await page.locator('article.operation .verb.get').first().waitFor();
    await inspect(page, 'docs');
  },

  async 'a call can be tried as whoever is signed in'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.newPage();
    await page.goto(stage.server.url);
    await signIn(page, ada);
    await page.goto(`${stage.server.url}/docs`);
    await page.getByText(`requests are sent as @${ada.username}`).waitFor();
    const call = page
      .locator('article.operation', { has: page.locator('.verb.get') })
      .filter({ has: page.getByText('/api/v1/users/me', { exact: true }) });
    await call.getByRole('button', { name: 'Try it' }).click();
    await call.getByRole('button', { name: 'Send' }).click();
    await call.getByText('200').last().waitFor();
    await call.locator('.outcome pre', { hasText: ada.username }).waitFor();
  },
};
