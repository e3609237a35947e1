import { until } from './stage.mjs';

export const tests = {
  async 'profile, devices, password'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada, '/settings');
    const main = page.getByRole('main');
    await main.getByLabel('Full name').fill('Ada L.');
    await main.getByLabel('About you').fill('Writes programs.');
    await main.getByRole('button', { name: 'Save profile' }).click();
    await page.getByText('Profile saved.').waitFor();
    await until(
      'the server has it',
      async () => (await stage.call('GET', '/users/me', ada.token)).bio === 'Writes programs.',
    );

    const others = main.getByRole('button', { name: /^Sign out .+/ });
    await others.first().waitFor();
    await others.first().click();
    await until('that device is gone', async () => (await others.count()) === 0);

    await main.getByRole('button', { name: 'Change password' }).click();
    await main.getByLabel('Current password').fill(ada.password);
    await main.getByLabel('New password').fill('a much better one');
    await main.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('Password changed.').waitFor();
    await stage.call('POST', '/auth/login', null, {
      login: ada.username,
      password: 'a much better one',
    });
  },
};
