import assert from 'node:assert/strict';
import { inspect, overflows, phone } from './inspect.mjs';
import { composer, until } from './stage.mjs';

const relation = (stage, one, other) =>
  stage.call('GET', `/users/${other.id}/relationship`, one.token);

export const tests = {
  async 'follow, counts on both sides, unfollow, message'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    await stage.call('POST', '/posts', bob.token, { text: 'A post by Bob' });
    const one = await stage.browse(ada, `/u/${bob.username}`);
    const other = await stage.browse(bob, `/u/${bob.username}`);
    await one.getByRole('main').getByText('A post by Bob').waitFor();
    await other.getByRole('button', { name: 'Edit profile' }).waitFor();
    await one.getByRole('button', { name: 'Follow', exact: true }).click();
    await one.getByRole('button', { name: /^Following Bob/ }).waitFor();
    await one.getByRole('link', { name: '1 follower' }).waitFor();
    await until('the server has it', async () => (await relation(stage, ada, bob)).following);
    await other.getByRole('link', { name: '1 follower' }).waitFor();

    await other.getByRole('link', { name: 'Followers', exact: true }).click();
    await other.getByRole('link', { name: /Ada/ }).first().click();
    await other.getByText('Follows you').waitFor();
    await other.getByRole('button', { name: 'Follow back' }).click();
    await one.getByText('Follows you').waitFor();

    await one.getByRole('button', { name: /^Following Bob/ }).click();
    await one.getByRole('button', { name: 'Follow back' }).waitFor();
    await one.getByRole('button', { name: 'Message' }).click();
    await composer(one).waitFor();
    await one.getByRole('heading', { name: 'Bob', level: 1 }).waitFor();
  },

  async 'a private account: ask, be let in, see; and be refused'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const cleo = await stage.account('Cleo');
    await stage.call('PATCH', '/users/me', bob.token, { is_private: true });
    await stage.call('POST', '/posts', bob.token, { text: 'Behind the door' });
    const one = await stage.browse(ada, `/u/${bob.username}`);
    const owner = await stage.browse(bob, '/');
    await one.getByText('This account is private').waitFor();
    assert.equal(await one.getByText('Behind the door').count(), 0);
    await one.getByRole('button', { name: 'Ask to follow' }).click();
    await one.getByRole('button', { name: /^Requested/ }).waitFor();
    await stage.call('PUT', `/users/${bob.id}/follow`, cleo.token);

    await owner.getByRole('link', { name: /2 follow requests/ }).click();
    const line = (name) => owner.locator('li', { hasText: name });
    await line('Ada').getByRole('button', { name: 'Accept' }).click();
    await line('Cleo').getByRole('button', { name: 'Refuse' }).click();
    await owner.getByText('Nobody is waiting').waitFor();
    await one.getByRole('button', { name: /^Following Bob/ }).waitFor();
    await one.getByText('Behind the door').waitFor();
    assert.equal((await relation(stage, cleo, bob)).follow_requested, false);

    await one.getByRole('button', { name: /^Following Bob/ }).click();
    await one.getByRole('dialog').getByRole('button', { name: 'Unfollow' }).click();
    await one.getByText('This account is private').waitFor();
  },

  async 'block and unblock, mute and unmute'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    await stage.call('POST', '/posts', bob.token, { text: 'Words of Bob' });
    const page = await stage.browse(ada, `/u/${bob.username}`);
    const menu = async (item) => {
      await page.getByRole('button', { name: 'More about Bob', exact: true }).click();
      await page.getByRole('menuitem', { name: item, exact: true }).click();
    };
    await page.getByText('Words of Bob').waitFor();
    await menu('Mute');
    await until('muted', async () => (await relation(stage, ada, bob)).muting);
    await menu('Unmute');
    await until('not muted', async () => !(await relation(stage, ada, bob)).muting);
    await menu('Block');
    await page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
    await page.getByText('You have blocked Bob').waitFor();
    assert.equal(await page.getByText('Words of Bob').count(), 0);
    await page.getByRole('button', { name: 'Unblock' }).click();
    await page.getByText('Words of Bob').waitFor();
  },

  async 'nobody by that name; a name with a dot survives a reload'(stage) {
    const ada = await stage.account('Ada');
    const dotted = `dot.${Date.now().toString(36)}`;
    await stage.call('POST', '/auth/signup', null, {
      username: dotted,
      password: 'correct horse battery',
      full_name: 'Dot Dotted',
    });
    const page = await stage.browse(ada, '/u/nobody_at_all');
    await page.getByText('There is nobody here').waitFor();
    await page.goto(`${stage.server.url}/u/${dotted}`);
    await page.getByRole('heading', { name: 'Dot Dotted' }).waitFor();
  },

  async 'the look holds'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    await stage.call('PATCH', '/users/me', bob.token, { bio: 'Likes #chess and long walks.' });
    await stage.call('PUT', `/users/${bob.id}/follow`, ada.token);
    for (const [colorScheme, more] of [
      ['light', {}],
      ['dark', phone],
    ]) {
      const page = await stage.browse(ada, `/u/${bob.username}`, { colorScheme, ...more });
      await page.getByRole('link', { name: '1 follower' }).waitFor();
      await inspect(page, `profile, ${colorScheme}`);
      assert.equal(await overflows(page), null);
      await page.getByRole('link', { name: 'Followers', exact: true }).click();
      await page.getByRole('main').getByText(`@${ada.username}`).waitFor();
      await inspect(page, `followers, ${colorScheme}`);
    }
  },
};
