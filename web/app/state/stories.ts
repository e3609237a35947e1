// Stories that are good now, by author: those with something unseen first, one's own apart. What
// has run out disappears at its minute, not at the next visit.
import { computed, signal } from '@preact/signals';
import { parley } from '../client';
import { Pager, type Id, type NewStory, type Story } from '../../sdk/index';
import { Meanwhile } from './meanwhile';
import { notify } from './notices';
import { me } from './session';

const all = signal<readonly Story[]>([]);
export const storiesLoaded = signal(false);
/** Asked for when the next one runs out. */
const now = signal(Date.now());
const STORIES_MAX = 400;

export interface StoryGroup {
  userId: Id;
  /** Oldest first. */
  stories: readonly Story[];
  unseen: boolean;
}

/** Those of one millisecond keep their order too, whichever was seen or changed last. */
function byTime(a: Story, b: Story): number {
  const key = (story: Story): string => story.created_at + story.id;
  return key(a) < key(b) ? -1 : 1;
}

export const storyGroups = computed<readonly StoryGroup[]>(() => {
  const byAuthor = new Map<Id, Story[]>();
  for (const story of all.value) {
    if (Date.parse(story.expires_at) <= now.value) continue;
    byAuthor.set(story.user_id, [...(byAuthor.get(story.user_id) ?? []), story]);
  }
  const groups = [...byAuthor].map(([userId, stories]) => ({
    userId,
    stories: stories.sort(byTime),
    unseen: userId !== me.value?.id && stories.some((story) => !story.viewed),
  }));
  const newest = (group: StoryGroup): string => group.stories.at(-1)!.created_at;
  return groups.sort(
    (a, b) => Number(b.unseen) - Number(a.unseen) || (newest(a) < newest(b) ? 1 : -1),
  );
});

export const ownStories = computed(
  () => storyGroups.value.find((group) => group.userId === me.value?.id) ?? null,
);
export const othersStories = computed(() =>
  storyGroups.value.filter((group) => group.userId !== me.value?.id),
);

let timer = 0;
function set(stories: readonly Story[]): void {
  all.value = stories;
  now.value = Date.now();
  clearTimeout(timer);
  const next = Math.min(
    ...stories.map((story) => Date.parse(story.expires_at)).filter((at) => at > now.peek()),
  );
  if (Number.isFinite(next))
    timer = window.setTimeout(() => set(all.peek()), Math.min(next - Date.now() + 50, 3_600_000));
}

let meanwhile = new Meanwhile();
let asked = false;
let round = 0; // only the newest answer counts
let failed = false;

export async function retryStories(): Promise<void> {
  if (failed) await loadStories();
}

export async function loadStories(): Promise<void> {
  const found: Story[] = [];
  const mine = ++round;
  asked = true;
  meanwhile.begin();
  try {
    for await (const story of new Pager((page) => parley.stories.list(page), 100)) {
      found.push(story);
      if (found.length >= STORIES_MAX) break;
    }
    if (mine === round) {
      set(found);
      failed = false;
    }
  } catch {
    failed = true;
    // The bar stays as it was; the feed below says what is wrong with the server.
  }
  if (mine !== round) return;
  meanwhile.end();
  storiesLoaded.value = true;
}

function put(story: Story): void {
  meanwhile.do(() => set([...all.peek().filter((one) => one.id !== story.id), story]));
}

const drop = (id: Id): void =>
  meanwhile.do(() => set(all.peek().filter((one) => one.id !== id)));

export async function postStory(story: NewStory): Promise<void> {
  put(await parley.stories.create(story));
}

export function markViewed(story: Story): void {
  if (story.viewed || story.user_id === me.peek()?.id) return;
  put({ ...story, viewed: true });
  parley.stories.view(story.id).catch(() => undefined);
}

export async function deleteStory(story: Story): Promise<void> {
  drop(story.id);
  try {
    await parley.stories.delete(story.id);
    notify('Story deleted.');
  } catch (problem) {
    put(story);
    notify(`The story was not deleted: ${(problem as Error).message}`, 'problem');
  }
}

export function listenToStories(): void {
  parley.on('story.posted', (story) => {
    if (asked && !all.peek().some((one) => one.id === story.id)) put(story);
  });
  parley.on('story.deleted', (story) => drop(story.id));
  parley.on('story.viewed', ({ story_id, user_id }) => {
    const story = all.peek().find((one) => one.id === story_id);
    if (story && user_id === me.peek()?.id) put({ ...story, viewed: true });
    else if (story) put({ ...story, viewer_count: (story.viewer_count ?? 0) + 1 });
  });
  // Whose stories one sees has changed.
  const again = ({ user_id }: { user_id: Id }): void => {
    if (user_id === me.peek()?.id && asked) void loadStories();
  };
  parley.on('follow.changed', again);
  parley.on('block.changed', again);
}

export function forgetStories(): void {
  clearTimeout(timer);
  all.value = [];
  round++;
  asked = false;
  failed = false;
  meanwhile = new Meanwhile();
  storiesLoaded.value = false;
}
