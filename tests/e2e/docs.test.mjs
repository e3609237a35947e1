import assert from 'node:assert/strict';
import { inspect } from './inspect.mjs';
import { signIn } from './stage.mjs';

export const tests = {
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
