import assert from 'node:assert/strict';
import { inspect, overflows, phone } from './inspect.mjs';

const card = (page, symbol) => page.locator('article.signal').filter({ hasText: symbol });

export const tests = {
  async 'posted, approved live, closed'(stage) {
    const [ada, boss, eve] = [
      await stage.account('Ada'),
      await stage.account('Boss'),
      await stage.account('Eve'),
    ];
    await stage.promote(boss, 'admin');
    const symbol = `T${ada.username.slice(-8).toUpperCase()}/X`;
    const queue = await stage.browse(boss, '/signals');
    await queue.getByText('To decide').click();
    const board = await stage.browse(eve, '/signals');
    const page = await stage.browse(ada, '/signals');

    await page.getByRole('button', { name: 'New signal' }).click();
    const form = page.getByRole('dialog', { name: 'New signal' });
    await form.getByLabel('Symbol').fill(symbol.toLowerCase());
    await form.getByLabel('Entry price').fill('61250.10');
    await form.getByLabel('Stop loss (optional)').fill('70000');
    await form.getByRole('button', { name: 'Send for approval' }).click();
    await form.locator('.field', { hasText: 'Stop loss' }).locator('.wrong').waitFor();
    await form.getByLabel('Stop loss (optional)').fill('59000.000000000000000001');
    await form.getByRole('button', { name: 'Send for approval' }).click();
    await card(page, symbol).getByText('Waiting for approval').waitFor();
    await card(page, symbol).getByText('59000.000000000000000001').waitFor();

    await card(queue, symbol).getByRole('button', { name: 'Approve' }).click();
    await page.getByText(`Your signal ${symbol} was approved.`).waitFor();
    await card(board, symbol).getByText('Approved').waitFor();
    await inspect(board, 'an approved signal');

    await queue.getByText('Approved', { exact: true }).first().click();
    await card(queue, symbol).getByRole('button', { name: 'Close' }).click();
    await queue.getByRole('button', { name: 'Close signal' }).click();
    await page.getByText(`Your signal ${symbol} was closed.`).waitFor();
    await card(board, symbol).waitFor({ state: 'detached' });
    await card(page, symbol).getByRole('button', { name: 'History' }).click();
    await page.getByRole('dialog').getByText('Closed', { exact: true }).waitFor();
  },

  async 'rejected with a reason, mended and sent again'(stage) {
    const [ada, boss] = [await stage.account('Ada'), await stage.account('Boss')];
    await stage.promote(boss, 'admin');
    const symbol = `R${ada.username.slice(-8).toUpperCase()}`;
    await stage.call('POST', '/trade-signals', ada.token, {
      symbol,
      side: 'sell',
      entry_price: '10',
    });
    const queue = await stage.browse(boss, '/signals');
    await queue.getByText('To decide').click();
    await card(queue, symbol).getByRole('button', { name: 'Reject' }).click();
    const dialog = queue.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Reject' }).click();
    await dialog.getByText('Say why').waitFor();
    await dialog.getByLabel('Reason').fill('No stop loss.');
    await dialog.getByRole('button', { name: 'Reject' }).click();
    await card(queue, symbol).waitFor({ state: 'detached' });

    const page = await stage.browse(ada, '/signals');
    await page.getByText('Mine', { exact: true }).click();
    await card(page, symbol).getByText('Reason: No stop loss.').waitFor();
  },

  async 'fits a phone, in the dark, and reads well'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada, '/signals', { ...phone, colorScheme: 'dark' });
    await page.getByRole('button', { name: 'New signal' }).click();
    await page.getByRole('dialog').waitFor();
    assert.equal(await overflows(page), null);
    await inspect(page, 'signals');
  },
};
