import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect, overflows, phone } from './inspect.mjs';
import { until } from './stage.mjs';

/** The newest letter that the server has put into its spool for an address. */
function letterTo(stage, address) {
  const found = [];
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (/\.(eml|txt|json)$/.test(entry.name)) found.push(path);
    }
  };
  walk(join(stage.server.folder, 'data'));
  const letters = found
    .sort()
    .map((path) => readFileSync(path, 'utf8'))
    .filter((text) => text.includes(address));
  return letters.at(-1);
}

async function codeFor(stage, address, before) {
  const letter = await until('a letter with a code', () => {
    const text = letterTo(stage, address);
    return text && text !== before && text;
  });
  const body = letter
    .split(/\r?\n\r?\n/)
    .slice(1)
    .join('\n');
  return { letter, code: /\b(\d{6,8})\b/.exec(body)[1] };
}

async function withAddress(stage) {
  const username = `mail${Date.now().toString(36)}`;
  const email = `${username}@example.org`;
  const password = 'correct horse battery';
  await stage.call('POST', '/auth/signup', null, { username, email, password, full_name: 'Ada' });
  return { username, email, password };
}

export const tests = {
  async 'privacy switches are kept, people can be unblocked'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    await stage.call('PUT', `/users/${bob.id}/block`, ada.token);
    const page = await stage.browse(ada, '/settings');
    await page.getByRole('switch', { name: 'Private account' }).check();
    await page.getByRole('switch', { name: 'Findable by e-mail address' }).check();
    await until('the server has both', async () => {
      const user = await stage.call('GET', '/users/me', ada.token);
      return user.is_private && user.discoverable_by_email && !user.discoverable_by_phone;
    });
    await page.getByRole('button', { name: 'Blocked', exact: true }).click();
    await page.locator('li', { hasText: 'Bob' }).getByRole('button', { name: 'Unblock' }).click();
    await page.getByText('You have blocked nobody').waitFor();
    await until(
      'nobody is blocked',
      async () => (await stage.call('GET', '/users/me/blocks', ada.token)).items.length === 0,
    );
  },

  async 'a code confirms the address, another one replaces a forgotten password'(stage) {
    const ada = await withAddress(stage);
    const page = await stage.browse(ada, '/settings');
    const addresses = page.getByRole('region', { name: 'Addresses' });
    await addresses.getByRole('button', { name: 'Confirm' }).click();
    const first = await codeFor(stage, ada.email);
    await addresses.getByLabel('Code').fill('000000');
    await addresses.getByRole('button', { name: 'Confirm', exact: true }).click();
    await addresses.locator('.wrong').waitFor();
    await addresses.getByLabel('Code').fill(first.code);
    await addresses.getByRole('button', { name: 'Confirm', exact: true }).click();
    await addresses.getByText('Confirmed', { exact: true }).waitFor();
    await page.reload();
    await addresses.getByText('Confirmed', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Sign out', exact: true }).first().click();
    await page.getByRole('button', { name: 'Forgotten your password?' }).click();
    await page.getByLabel('User name, e-mail or phone').fill(ada.email);
    await inspect(page, 'forgotten password');
    await page.getByRole('button', { name: 'Send a code' }).click();
    const second = await codeFor(stage, ada.email, first.letter);
    await page.getByLabel('Code').fill(second.code);
    await page.getByLabel('New password', { exact: true }).fill('a fresh new password');
    await inspect(page, 'new password');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await page.getByLabel('User name, e-mail or phone').fill(ada.username);
    await page.getByLabel('Password', { exact: true }).fill('a fresh new password');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.locator('.shell').waitFor();
  },

  async 'take the data along, deactivate and come back, delete'(stage) {
    const ada = await stage.account('Ada');
    await stage.call('POST', '/posts', ada.token, { text: 'Something to take along' });
    const page = await stage.browse(ada, '/settings');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download my data' }).click(),
    ]);
    const text = readFileSync(await download.path(), 'utf8');
    assert.ok(JSON.stringify(JSON.parse(text)).includes('Something to take along'));

    await page.getByRole('button', { name: 'Deactivate account' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Your password').fill('not my password');
    await dialog.getByRole('button', { name: 'Deactivate', exact: true }).click();
    await dialog.locator('.wrong, [role=alert]').first().waitFor();
    await dialog.getByLabel('Your password').fill(ada.password);
    await dialog.getByRole('button', { name: 'Deactivate', exact: true }).click();
    await page.getByText('Your account is deactivated').waitFor();

    await page.getByLabel('User name, e-mail or phone').fill(ada.username);
    await page.getByLabel('Password', { exact: true }).fill(ada.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.locator('.shell').waitFor();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Delete account' }).click();
    await dialog.getByLabel('Your password').fill(ada.password);
    await dialog.getByRole('button', { name: 'Delete for good' }).click();
    await page.getByText('Your account is deleted').waitFor();
    await page.getByLabel('User name, e-mail or phone').fill(ada.username);
    await page.getByLabel('Password', { exact: true }).fill(ada.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('alert').waitFor();
  },

  async 'the look holds'(stage) {
    const ada = await withAddress(stage);
    for (const [colorScheme, more] of [
      ['light', {}],
      ['dark', phone],
    ]) {
      const page = await stage.browse(ada, '/settings', { colorScheme, ...more });
      await page.getByText('This device').waitFor();
      await inspect(page, `settings, ${colorScheme}`);
      assert.equal(await overflows(page), null);
    }
  },
};
