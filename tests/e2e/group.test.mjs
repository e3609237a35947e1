import { bubble, chatLink, composer, until, write } from './stage.mjs';

export const tests = {
  async 'make a group, talk, rename, add, make admin, remove, leave'(stage) {
    const ada = await stage.account('Ada');
    const bob = await stage.account('Bob');
    const cleo = await stage.account('Cleo');
    const one = await stage.browse(ada);
    const other = await stage.browse(bob);

    await one.getByRole('button', { name: 'New chat' }).first().click();
    const dialog = one.getByRole('dialog');
    await dialog.getByText('Group', { exact: true }).click();
    await dialog.getByLabel('Group name').fill('Launch');
    await dialog.getByRole('searchbox').fill(bob.username);
    await dialog.getByRole('button', { name: new RegExp(bob.username) }).click();
    await dialog.getByRole('button', { name: 'Create with 1' }).click();
    await composer(one).waitFor();
    await chatLink(other, 'Launch').click();
    await write(one, 'welcome');
    await bubble(other, 'welcome').waitFor();
    await other.locator('.message .name', { hasText: 'Ada' }).waitFor();

    await one.getByRole('button', { name: 'Details', exact: true }).click();
    const details = one.getByRole('complementary', { name: 'Details' });
    await details.getByRole('button', { name: 'Rename group' }).click();
    await details.getByLabel('Group name').fill('Launch crew');
    await details.getByRole('button', { name: 'Save' }).click();
    await other.getByRole('heading', { name: 'Launch crew' }).waitFor();

    await details.getByRole('button', { name: 'Add people' }).click();
    await one.getByRole('dialog').getByRole('searchbox').fill(cleo.username);
    await one
      .getByRole('dialog')
      .getByRole('button', { name: new RegExp(cleo.username) })
      .click();
    await one.getByRole('dialog').getByRole('button', { name: 'Add 1' }).click();
    await one.getByRole('dialog').waitFor({ state: 'detached' });
    await details.getByText('Cleo', { exact: true }).waitFor();
    await other.getByText('3 members').first().waitFor();

    await details.getByRole('button', { name: 'Actions for Bob' }).click();
    await one.getByRole('menuitem', { name: 'Make admin' }).click();
    await details.locator('li', { hasText: 'Bob' }).getByText('admin').waitFor();

    await details.getByRole('button', { name: 'Actions for Cleo' }).click();
    await one.getByRole('menuitem', { name: 'Remove from group' }).click();
    await details.getByText('Cleo', { exact: true }).waitFor({ state: 'detached' });

    await other.getByRole('button', { name: 'Details', exact: true }).click();
    await other.getByRole('button', { name: 'Leave group' }).click();
    await other.getByRole('dialog').getByRole('button', { name: 'Leave group' }).click();
    await until('the group is gone', async () => (await chatLink(other, 'Launch').count()) === 0);
    await one.getByText('1 member').first().waitFor();
  },

  async 'a chat that is deleted while it is open says so; the rail counts what is unread'(stage) {
    const [ada, bob, cy] = [
      await stage.account('Ada'),
      await stage.account('Bob'),
      await stage.account('Cy'),
    ];
    const chat = await stage.group(ada, 'Crew', [bob]);
    const other = await stage.group(ada, 'Choir', [bob, cy]);
    const page = await stage.browse(bob, `/c/${chat.id}`);
    await composer(page).waitFor();
    await stage.send(ada, other.id, 'sing');
    await page.getByRole('link', { name: 'Chats, 1 unread' }).waitFor();
    await stage.call('DELETE', `/chats/${chat.id}`, ada.token);
    await page.getByText('“Crew” was deleted.').waitFor();
    await page.waitForURL('**/chats');
    await chatLink(page, 'Choir').click();
    await page.getByRole('button', { name: 'Details', exact: true }).click();
    await page.getByRole('button', { name: 'Leave group' }).click();
    await page.getByRole('dialog').waitFor();
    await until('the focus is on an answer, not on the cross', () =>
      page.evaluate(() => document.activeElement?.textContent === 'Cancel'),
    );
    await page.keyboard.press('Escape');
    await stage.call('DELETE', `/chats/${other.id}/members/${bob.id}`, ada.token);
    await page.getByText('You are no longer in “Choir”.').waitFor();
  },
};
