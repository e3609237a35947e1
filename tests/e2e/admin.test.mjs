import assert from 'node:assert/strict';
import { inspect, overflows, phone } from './inspect.mjs';
import { until } from './stage.mjs';

const row = (page, text) => page.getByRole('row').filter({ hasText: text });

export const tests = {
  async 'people: roles, sessions, and who may sign in'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    await stage.promote(ada, 'admin');
    const his = await stage.browse(bob, '/chats');
    const page = await stage.browse(ada, '/admin');
    await page.getByRole('searchbox', { name: 'Search people' }).fill(bob.username);
    const bobs = row(page, bob.username);
    await bobs.getByRole('combobox').selectOption('moderator');
    await page.getByText('Bob: saved.').waitFor();
    await bobs.getByRole('button', { name: 'Sessions' }).click();
    await page.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.getByText('Bob is signed out everywhere.').waitFor();
    await his.getByRole('button', { name: 'Sign in', exact: true }).waitFor();

    await bobs.getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await bobs.getByRole('button', { name: 'Enable' }).waitFor();
    await assert.rejects(
      stage.call('POST', '/auth/login', null, { login: bob.username, password: bob.password }),
    );
    await page.getByRole('link', { name: 'Audit log' }).click();
    await row(page, 'user.role_changed').first().waitFor();
  },

  async 'reports come in and are handled, without a reload'(stage) {
    const [mo, ada, bob] = [
      await stage.account('Mo'),
      await stage.account('Ada'),
      await stage.account('Bob'),
    ];
    await stage.promote(mo, 'moderator');
    const page = await stage.browse(mo, '/admin');
    await page.getByRole('link', { name: 'Reports' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Sagas' }).count(), 0);
    const words = `Selling things ${bob.username}`;
    await stage.call('POST', '/reports', ada.token, {
      subject_kind: 'user',
      subject_id: bob.id,
      reason: 'spam',
      text: words,
    });
    await row(page, words).getByRole('button', { name: 'Handle' }).click();
    await page.getByLabel('Note').fill('Spoke to him.');
    await page.getByRole('button', { name: 'Mark as resolved' }).click();
    await until('it is off the list', async () => (await row(page, words).count()) === 0);
    await page.getByText('Resolved', { exact: true }).click();
    await row(page, words).getByText('Spoke to him.').waitFor();
  },

  async 'sagas, dead letters, nodes and connections are there to see'(stage) {
    const ada = await stage.account('Ada');
    await stage.promote(ada, 'admin');
    const page = await stage.browse(ada, '/admin/sagas');
    await row(page, 'registration').first().waitFor();
    await page.getByRole('link', { name: 'Dead letters' }).click();
    await page.getByText('No dead letters').waitFor();
    await page.getByRole('link', { name: 'Nodes' }).click();
    await page.getByText('Consumers').waitFor();
    await page.getByRole('link', { name: 'Connections' }).click();
    await row(page, 'Ada').getByText('websocket').waitFor();
  },

  async 'there is no such page for others'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada, '/admin/users');
    await page.getByText('There is nothing at this address').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Admin', exact: true }).count(), 0);
  },

  async 'fits a phone, in the dark, and reads well'(stage) {
    const ada = await stage.account('Ada');
    await stage.promote(ada, 'admin');
    for (const area of ['users', 'sagas', 'nodes', 'connections', 'audit']) {
      const page = await stage.browse(ada, `/admin/${area}`, { ...phone, colorScheme: 'dark' });
      await page.locator('.table tbody tr:not([aria-hidden]), .node, .empty').first().waitFor();
      assert.equal(await overflows(page), null, area);
      await inspect(page, area);
      await page.context().close();
    }
  },
};
