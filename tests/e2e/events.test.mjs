import assert from 'node:assert/strict';
import { inspect, overflows, phone } from './inspect.mjs';
import { until } from './stage.mjs';

const card = (page, title) => page.locator('article.event-card').filter({ hasText: title });

/** Local time at a place, some days from now, as an API body has it. */
function at(days, hour) {
  const day = new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  return `${day}T${String(hour).padStart(2, '0')}:00:00`;
}

const supper = (stage, host, more = {}) =>
  stage.call('POST', '/events', host.token, {
    title: 'Supper',
    starts_at: at(3, 19),
    ends_at: at(3, 22),
    time_zone: 'Asia/Kathmandu',
    place: 'The long table',
    ...more,
  });

export const tests = {
  async 'plan, answer, change, cancel'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    await stage.call('PUT', `/users/${ada.id}/follow`, bob.token);
    const page = await stage.browse(ada, '/events');
    await page.getByText('Nothing planned').waitFor();
    await page.getByRole('button', { name: 'New event' }).click();
    const form = page.getByRole('dialog', { name: 'New event' });
    await form.getByRole('button', { name: 'Create event' }).click();
    await form
      .getByText(/character/)
      .first()
      .waitFor(); // the title is missing
    await form.getByLabel('Title').fill('Supper at seven');
    await form.getByLabel('Time zone').fill('Mars/Olympus');
    await form.getByRole('button', { name: 'Create event' }).click();
    await form.locator('.field', { hasText: 'Time zone' }).locator('.wrong').waitFor();
    await form.getByLabel('Time zone').fill('Asia/Kathmandu');
    await form.getByLabel('Place (optional)').fill('The long table');
    await form.getByLabel('Places').fill('1');
    await form.getByRole('button', { name: 'Create event' }).click();
    await page.getByRole('heading', { name: 'Supper at seven', level: 1 }).waitFor();
    await page.getByText('in Kathmandu').waitFor();
    const path = new URL(page.url()).pathname;

    const other = await stage.browse(bob, '/events');
    await card(other, 'Supper at seven').getByRole('button', { name: 'Going' }).click();
    await page.getByText('1 of 1 going').waitFor();
    await page.locator('.attendee', { hasText: 'Bob' }).waitFor();

    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByLabel('Title').fill('Supper at eight');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Supper at eight', level: 1 }).waitFor();
    await card(other, 'Supper at eight').waitFor();

    await page.getByRole('button', { name: 'Cancel event' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel event' }).click();
    await page.getByText('This event was cancelled.').waitFor();
    await other.goto(stage.server.url + path);
    await other.getByText('This event was cancelled.').waitFor();
  },

  async 'who waits for a place gets it, without a reload'(stage) {
    const [ada, bob, eve] = [
      await stage.account('Ada'),
      await stage.account('Bob'),
      await stage.account('Eve'),
    ];
    const { id } = await supper(stage, ada, { capacity: 1 });
    await stage.call('PUT', `/events/${id}/rsvp`, bob.token, { status: 'yes' });
    const page = await stage.browse(eve, `/events/${id}`);
    await page.getByRole('button', { name: 'Join the line' }).click();
    await page.getByText('You are number 1 in line.').waitFor();
    await page.getByRole('button', { name: 'Waiting' }).waitFor();
    await stage.call('PUT', `/events/${id}/rsvp`, bob.token, { status: 'no' });
    await page.getByText('A place has come free').waitFor();
    const going = page.getByRole('button', { name: 'Going' });
    await until('Eve is going', async () => (await going.getAttribute('aria-pressed')) === 'true');
    await page.locator('.attendee', { hasText: 'Eve' }).waitFor();
  },

  async 'a private event is for those who are invited'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const { id } = await supper(stage, ada, { visibility: 'private' });
    const guest = await stage.browse(bob, `/events/${id}`);
    await guest.getByText('This event is not there').waitFor();
    const page = await stage.browse(ada, `/events/${id}`);
    await page.getByRole('button', { name: 'Invite' }).click();
    await page.getByRole('searchbox', { name: 'Find people' }).fill(bob.username);
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Invite', exact: true }).click();
    await page.getByRole('button', { name: 'Invited' }).waitFor();
    await guest.reload();
    await guest.getByRole('heading', { name: 'Supper', level: 1 }).waitFor();
  },

  async 'a calendar by secret address, and as a file'(stage) {
    const ada = await stage.account('Ada');
    const { id } = await supper(stage, ada);
    const page = await stage.browse(ada, `/events/${id}`);
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Add to calendar' }).click();
    assert.match((await saving).suggestedFilename(), /\.ics$/);

    await page.goto(`${stage.server.url}/events`);
    await page.getByRole('button', { name: 'Calendar', exact: true }).click();
    await page.getByRole('button', { name: 'Make a secret address' }).click();
    const url = await page.getByLabel('Secret address').inputValue();
    const file = await (await fetch(url)).text();
    assert.match(file, /^BEGIN:VCALENDAR\r\n/);
    assert.match(file, /SUMMARY:Supper/);
    await page.getByRole('button', { name: 'End all addresses' }).click();
    await page.getByText('The address is no longer valid.').waitFor();
    assert.equal((await fetch(url)).status, 404);
  },

  async 'the heading has room on a phone'(stage) {
    const page = await stage.browse(await stage.account('Ada'), '/events', phone);
    const heading = page.getByRole('heading', { name: 'Events', level: 1 });
    await heading.waitFor();
    assert.ok(await heading.evaluate((one) => one.scrollWidth <= one.clientWidth));
  },

  async 'fits a phone, in the dark, and reads well'(stage) {
    const ada = await stage.account('Ada');
    const { id } = await supper(stage, ada, {
      title: 'Supper '.repeat(20),
      description: 'Come. '.repeat(80),
    });
    for (const path of ['/events', `/events/${id}`]) {
      const page = await stage.browse(ada, path, { ...phone, colorScheme: 'dark' });
      await page.getByText('Supper').first().waitFor();
      assert.equal(await overflows(page), null);
      await inspect(page, path);
      await page.context().close();
    }
  },
};
