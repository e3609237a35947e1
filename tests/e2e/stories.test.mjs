import assert from 'node:assert/strict';
import { inspect, overflows, phone } from './inspect.mjs';
import { until } from './stage.mjs';

/** The next one is told in a later millisecond: which of two of the same is first is nobody's say. */
async function tell(stage, person, text) {
  const story = await stage.call('POST', '/stories', person.token, { text, visibility: 'public' });
  while (Date.now() <= Date.parse(story.created_at)) await new Promise((go) => setTimeout(go, 1));
  return story;
}
const viewer = (page) => page.getByRole('dialog', { name: /^Story by/ });

/** On a busy machine the end of a tap comes so late that it would count as holding. */
function tapsTakeNoTime() {
  Object.defineProperty(Event.prototype, 'timeStamp', { get: () => 0 });
}

async function scene(stage) {
  const [ada, bob] = [await stage.account('Ada'), await stage.account('Bob')];
  await stage.call('PUT', `/users/${bob.id}/follow`, ada.token);
  return { ada, bob };
}

export const tests = {
  async 'write one, others see it at once, and who has seen it is told'(stage) {
    const { ada, bob } = await scene(stage);
    const one = await stage.browse(bob, '/');
    const other = await stage.browse(ada, '/');
    await other.getByText('Your feed is still quiet').waitFor();
    await one.getByRole('button', { name: 'New story' }).click();
    await one.getByRole('textbox', { name: 'Text of the story' }).fill('It is snowing!');
    await inspect(one, 'story composer');
    await one.getByRole('button', { name: 'Share' }).click();
    await one.getByText('Your story is there for 24 hours').waitFor();

    await other.getByRole('button', { name: 'Story by Bob, new' }).click();
    await viewer(other).getByText('It is snowing!').waitFor();
    await inspect(other, 'story viewer');
    await other.keyboard.press('Escape');
    await viewer(other).waitFor({ state: 'detached' });
    await other.getByRole('button', { name: 'Story by Bob', exact: true }).waitFor();

    await one.reload();
    await one.getByRole('button', { name: 'Your story, 1' }).click();
    await one.getByRole('button', { name: '1 view' }).click();
    await one.getByRole('dialog', { name: 'Seen by' }).getByText('Ada').waitFor();
    await one.keyboard.press('Escape');
    await one.getByRole('button', { name: 'Delete story' }).click();
    await one
      .getByRole('dialog', { name: 'Delete this story?' })
      .getByRole('button', { name: 'Delete' })
      .click();
    await one.getByText('Story deleted.').waitFor();
    await viewer(one).waitFor({ state: 'detached' });
    await other.getByRole('button', { name: /Story by Bob/ }).waitFor({ state: 'detached' });
  },

  async 'keys and taps go through them; the way back closes'(stage) {
    const { ada, bob } = await scene(stage);
    for (const text of ['first', 'second', 'third']) await tell(stage, bob, `The ${text} one`);
    const page = await stage.browse(ada, '/', phone);
    await page.evaluate(tapsTakeNoTime);
    await page.getByRole('button', { name: 'Story by Bob, new' }).tap();
    const shown = viewer(page);
    await shown.getByText('The first one').waitFor();
    await page.keyboard.press('ArrowRight');
    await shown.getByText('The second one').waitFor();
    await shown.getByRole('button', { name: 'Previous story' }).tap();
    await shown.getByText('The first one').waitFor();
    await shown.getByRole('button', { name: 'Next story' }).tap();
    await shown.getByText('The second one').waitFor();
    assert.equal(await overflows(page), null);
    await page.goBack();
    await shown.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Story by Bob, new' }).tap();
    await shown.getByText('The third one').waitFor();
    await shown.getByRole('button', { name: 'Next story' }).tap();
    await shown.waitFor({ state: 'detached' });
    await until('the server knows', async () => {
      const { items } = await stage.call('GET', '/stories', ada.token);
      return items.filter((story) => story.user_id === bob.id).every((story) => story.viewed);
    });
  },

  async 'those of one millisecond are each shown once'(stage) {
    const { ada, bob } = await scene(stage);
    const texts = Array.from({ length: 8 }, (_, at) => `Number ${at}`);
    const told = await Promise.all(
      texts.map((text) =>
        stage.call('POST', '/stories', bob.token, { text, visibility: 'public' }),
      ),
    );
    told.sort((a, b) => (a.created_at + a.id < b.created_at + b.id ? -1 : 1));
    const page = await stage.browse(ada, '/');
    await page.getByRole('button', { name: 'Story by Bob, new' }).click();
    for (const story of told) {
      await viewer(page).getByText(story.text, { exact: true }).waitFor();
      await page.keyboard.press('ArrowRight');
    }
    await viewer(page).waitFor({ state: 'detached' });
  },

  async 'they go on by themselves, stand still when paused, and end'(stage) {
    const { ada, bob } = await scene(stage);
    await tell(stage, bob, 'One');
    await tell(stage, bob, 'Two');
    const page = await stage.browse(ada, '/', { reducedMotion: 'no-preference' });
    await page.getByRole('button', { name: 'Story by Bob, new' }).click();
    await viewer(page).getByText('One').waitFor();
    await viewer(page).getByRole('button', { name: 'Pause' }).click();
    const animation = () =>
      viewer(page)
        .locator('.progress .now')
        .evaluate((one) => getComputedStyle(one, '::after').animationPlayState);
    assert.equal(await animation(), 'paused');
    await page.waitForTimeout(5000); // longer than the story lasts: this is about time passing
    await viewer(page).getByText('One').waitFor();
    await viewer(page).getByRole('button', { name: 'Play' }).click();
    await viewer(page).getByText('Two').waitFor();
    await viewer(page).waitFor({ state: 'detached' });
  },
};
