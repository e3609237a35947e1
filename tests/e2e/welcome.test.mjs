import assert from 'node:assert/strict';
import { signIn } from './stage.mjs';

export const tests = {
  async 'sign up, stay signed in, sign out, sign in'(stage) {
    const page = await stage.newPage();
    await page.goto(stage.server.url);
    await page.getByRole('button', { name: 'Create an account' }).click();
    const username = `ada${Date.now().toString(36)}`;
    await page.getByLabel('Full name').fill('Ada Lindqvist');
    await page.getByLabel('User name').fill(username);
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('Your feed is still quiet').waitFor();

    await page.reload();
    await page.getByText('Your feed is still quiet').waitFor();
    assert.equal(await page.evaluate(() => document.cookie), '', 'no script can read the token');
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
    assert.ok(!/eyJ|refresh/.test(kept), 'no token in the storage');

    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await signIn(page, { username, password: 'correct horse battery' });
    await page.getByText('Your feed is still quiet').waitFor();
  },

  async 'wrong input is explained at the field, and gets the focus'(stage) {
    const person = await stage.account('Grace');
    const page = await stage.newPage();
    await page.goto(stage.server.url);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    const login = page.getByLabel('User name, e-mail or phone');
    assert.equal(await login.getAttribute('aria-invalid'), 'true');
    await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'login');
    await login.fill(person.username);
    await page.getByLabel('Password', { exact: true }).fill('not this one');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('alert').waitFor();

    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('User name').fill(person.username);
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.locator('.wrong, [role=alert]').first().waitFor();
  },

  async 'an address inside waits for sign-in and is then shown'(stage) {
    const [one, other] = [await stage.account('Ida'), await stage.account('Olaf')];
    const chat = await stage.direct(one, other);
    const page = await stage.browse(one, `/c/${chat.id}`);
    await page.getByRole('heading', { name: 'Olaf' }).waitFor();
  },

  async 'an unknown chat leads back to the list'(stage) {
    const person = await stage.account('Rosa');
    const page = await stage.browse(person, '/c/0190a6e2-8f3c-7d21-9b64-5f0c1e2a7d11');
    await page.getByText('not there, or not yours').waitFor();
    await page.waitForURL(stage.server.url + '/chats');
  },
};
