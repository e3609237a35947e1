// What somebody has written is not lost: not by a refusal, a stray click, a way back or a page
// that has no secure context.
import { phone } from './inspect.mjs';
import { bubble, chatLink, composer, until, write } from './stage.mjs';

const value = (field, text) =>
  until(`the field says "${text}"`, async () => (await field.inputValue()) === text);

export const tests = {
  async 'a change that fails stays in the composer, also over another chat'(stage) {
    const [ada, bob, cy] = [
      await stage.account('Ada'),
      await stage.account('Bob'),
      await stage.account('Cy'),
    ];
    const chat = await stage.direct(ada, bob);
    await stage.direct(ada, cy);
    const page = await stage.browse(ada, `/c/${chat.id}`);
    await write(page, 'first words');
    await bubble(page, 'first words').locator('[data-state=sent]').waitFor();
    await composer(page).press('ArrowUp');
    await value(composer(page), 'first words');
    await composer(page).fill('second words');
    await stage.server.kill();
    await page.getByText('Reconnecting').waitFor();
    await composer(page).press('Enter');
    await page.getByText('The change was not saved').waitFor();
    await page.getByRole('button', { name: 'Stop editing' }).waitFor();
    await value(composer(page), 'second words');

    await chatLink(page, 'Cy').click();
    await value(composer(page), '');
    await chatLink(page, 'Bob').click();
    await page.getByRole('button', { name: 'Stop editing' }).waitFor();
    await value(composer(page), 'second words');

    await stage.server.start();
    await page.getByText('Reconnecting').waitFor({ state: 'detached', timeout: 30_000 });
    await composer(page).press('Enter');
    await bubble(page, 'second words').waitFor();
    await value(composer(page), '');
    await page.getByRole('button', { name: 'Stop editing' }).waitFor({ state: 'detached' });
  },

  async 'an answer that was begun is there again on the way back, and after a change'(stage) {
    const [ada, bob, cy] = [
      await stage.account('Ada'),
      await stage.account('Bob'),
      await stage.account('Cy'),
    ];
    const chat = await stage.direct(ada, bob);
    await stage.direct(ada, cy);
    await stage.send(bob, chat.id, 'a question');
    await stage.send(ada, chat.id, 'a remark');
    const page = await stage.browse(ada, `/c/${chat.id}`);
    const answering = page.getByRole('button', { name: 'Stop replying' });
    await bubble(page, 'a question').waitFor();
    await page.locator('[data-seq="1"]').focus();
    await page.keyboard.press('r');
    await answering.waitFor();
    await composer(page).fill('half an answer');
    await chatLink(page, 'Cy').click();
    await value(composer(page), '');
    await answering.waitFor({ state: 'detached' });
    await chatLink(page, 'Bob').click();
    await value(composer(page), 'half an answer');
    await answering.waitFor();
    await page.reload();
    await answering.waitFor();

    await page.locator('[data-seq="2"]').focus();
    await page.keyboard.press('e');
    await page.getByRole('button', { name: 'Stop editing' }).click();
    await value(composer(page), 'half an answer');
    await answering.waitFor();
    await composer(page).press('Enter');
    await answering.waitFor({ state: 'detached' });
    await page.locator('[data-seq="3"] .quote', { hasText: 'a question' }).waitFor();
    await page.reload();
    await bubble(page, 'half an answer').waitFor();
    await answering.waitFor({ state: 'detached' });
  },

  async 'a dialog with something in it asks before it is closed'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada, '/');
    const story = page.getByRole('dialog', { name: 'New story' });
    const asks = page.getByRole('dialog', { name: 'Discard what you wrote?' });
    const open = () => page.getByRole('button', { name: 'New story' }).click();

    await open();
    await story.waitFor();
    await page.mouse.click(5, 5);
    await story.waitFor({ state: 'detached' });

    await open();
    const field = page.getByLabel('Text of the story');
    await field.fill('a long story');
    await page.mouse.click(5, 5);
    await value(field, 'a long story');
    await page.keyboard.press('Escape');
    await asks.getByRole('button', { name: 'Keep writing' }).click();
    await asks.waitFor({ state: 'detached' });
    await value(field, 'a long story');
    // Again and again: browsers close a dialog without asking at the second Escape in a row.
    for (let round = 0; round < 3; round++) {
      await page.keyboard.press('Escape');
      await asks.waitFor();
      await page.keyboard.press('Escape');
      await asks.waitFor({ state: 'detached' });
      await value(field, 'a long story');
    }
    await story.getByRole('button', { name: 'Close' }).click();
    await asks.getByRole('button', { name: 'Discard' }).click();
    await story.waitFor({ state: 'detached' });
    await asks.waitFor({ state: 'detached' });

    await page.goto(`${stage.server.url}/events`);
    await page.getByRole('button', { name: 'New event' }).click();
    await page.getByLabel('Title').fill('A party');
    await page.keyboard.press('Escape');
    await asks.getByRole('button', { name: 'Discard' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  },

  async 'Back closes what lies over the page, and asks before it discards'(stage) {
    const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
    const chat = await stage.group(ada, 'Crew', [bob]);
    const page = await stage.browse(ada, '/people', phone);
    const link = (path) => page.locator(`.rail .rail-link[href="${path}"]`);
    const at = (path) => until(path, () => new URL(page.url()).pathname === path);
    const heading = (name) => page.getByRole('heading', { level: 1, name }).waitFor();
    const none = () => page.getByRole('dialog').waitFor({ state: 'detached' });
    await heading('People');
    await link('/events').tap();
    await heading('Events');
    const asks = page.getByRole('dialog', { name: 'Discard what you wrote?' });
    await page.getByRole('button', { name: 'New event' }).tap();
    const field = page.getByLabel('Title');
    await field.fill('A party');
    await page.goBack();
    await asks.getByRole('button', { name: 'Keep writing' }).tap();
    await value(field, 'A party');
    await page.goBack();
    await asks.waitFor();
    await page.goBack();
    await asks.waitFor({ state: 'detached' });
    await value(field, 'A party');
    await page.goBack();
    await asks.getByRole('button', { name: 'Discard' }).tap();
    await none();
    await at('/events');
    // An empty one closes at once; neither leaves a step behind that goes nowhere.
    await page.getByRole('button', { name: 'New event' }).tap();
    await page.getByLabel('Title').waitFor();
    await page.goBack();
    await none();
    await at('/events');
    await page.goBack();
    await heading('People');
    await at('/people');

    await link('/chats').tap();
    await chatLink(page, 'Crew').tap();
    const details = page.getByRole('complementary', { name: 'Details' });
    await page.getByRole('button', { name: 'Details', exact: true }).tap();
    await details.waitFor();
    await page.goBack();
    await details.waitFor({ state: 'detached' });
    await at(`/c/${chat.id}`);
    // Closed by itself, and then onwards: the way back is that of the pages.
    await page.getByRole('button', { name: 'Details', exact: true }).tap();
    await page.getByRole('button', { name: 'Close details' }).tap();
    await details.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Back to chats' }).tap();
    await at('/chats');
    await page.goBack();
    await at('/people');
  },

  async 'a changed profile that is not saved is there again on the way back'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada, '/settings');
    const about = page.getByLabel('About you');
    await about.fill('I like boats.');
    await page.getByRole('link', { name: 'People' }).click();
    await page.getByRole('heading', { name: 'People' }).waitFor();
    await page.goBack();
    await value(about, 'I like boats.');
    await page.getByRole('button', { name: 'Save profile' }).click();
    await page.getByText('Profile saved').waitFor();
    await page.reload();
    await value(about, 'I like boats.');
    await page.getByRole('button', { name: 'Save profile', disabled: true }).waitFor();
  },

  async 'the dialog that changes a post begins in its text'(stage) {
    const ada = await stage.account('Ada');
    const post = await stage.call('POST', '/posts', ada.token, { text: 'as it was' });
    const page = await stage.browse(ada, `/p/${post.id}`);
    await page.getByRole('button', { name: /More about the post/ }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await page.getByLabel('Text of the post').waitFor();
    await until('the focus is on the text', () =>
      page.evaluate(() => document.activeElement?.tagName === 'TEXTAREA'),
    );
  },

  async 'half a comment is there again on the way back'(stage) {
    const ada = await stage.account('Ada');
    const post = await stage.call('POST', '/posts', ada.token, { text: 'talk to me' });
    const page = await stage.browse(ada, `/p/${post.id}`);
    await page.getByLabel('Write a comment').fill('half a tho');
    await page.getByRole('link', { name: 'People' }).click();
    await page.getByRole('heading', { name: 'People' }).waitFor();
    await page.goBack();
    await value(page.getByLabel('Write a comment'), 'half a tho');
    await page.getByLabel('Write a comment').fill('half a thought');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('article', { name: 'Comment by Ada' }).getByText('half a thought').waitFor();
    await page.reload();
    await page.getByRole('article', { name: 'Comment by Ada' }).getByText('half a thought').waitFor();
    await value(page.getByLabel('Write a comment'), '');
  },

  async 'posts and comments can be written over plain http'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.newPage();
    // Browsers have it in secure contexts only, and localhost is one.
    await page.addInitScript(() => delete Crypto.prototype.randomUUID);
    await page.goto(stage.server.url);
    await page.getByLabel('User name, e-mail or phone').fill(ada.username);
    await page.getByLabel('Password', { exact: true }).fill(ada.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByLabel('Write a post').last().fill('from the living room');
    await page.getByRole('button', { name: 'Post', exact: true }).click();
    await page.getByRole('article').getByText('from the living room').click();
    await page.getByLabel('Write a comment').fill('me too');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('article', { name: 'Comment by Ada' }).getByText('me too').waitFor();
  },

  async 'a fault of the page itself is said, and the form goes on'(stage) {
    const ada = await stage.account('Ada');
    const page = await stage.browse(ada, '/');
    await page.getByLabel('Write a post').last().fill('words');
    await page.evaluate(() => {
      crypto.getRandomValues = () => {
        throw new TypeError('no luck');
      };
    });
    await page.getByRole('button', { name: 'Post', exact: true }).click();
    await page.getByRole('alert').getByText('no luck').waitFor();
    await page.getByRole('button', { name: 'Post', exact: true, disabled: false }).waitFor();
  },
};
