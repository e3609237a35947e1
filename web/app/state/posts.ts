// Posts by id, each one signal, so that a like on one card changes all places that show it. What
// somebody does is shown at once and taken back when the server refuses.
import { signal, type Signal } from '@preact/signals';
import { parley } from '../client';
import { ParleyError, uuidv7, type Id, type Page, type PageQuery, type Post } from '../../sdk/index';
import { keptList, keptLists, PagedList } from './list';
import { notify } from './notices';
import { me } from './session';

/** undefined: not known yet; null: deleted, or not ours to see. */
type Known = Post | null | undefined;
const posts = new Map<Id, Signal<Known>>();

export function postSignal(id: Id): Signal<Known> {
  let entry = posts.get(id);
  if (!entry) posts.set(id, (entry = signal<Known>(undefined)));
  return entry;
}

/** As the server gave it to this person. */
export function putPost(post: Post): Post {
  postSignal(post.id).value = post;
  return post;
}

/** From an event: everything but what is the reader's own. */
function postHeard(post: Post): void {
  const entry = posts.get(post.id);
  const known = entry?.peek();
  if (!entry) return;
  entry.value = {
    ...post,
    liked: known?.liked ?? false,
    bookmarked: known?.bookmarked ?? false,
  };
}

export async function loadPost(id: Id): Promise<void> {
  try {
    putPost(await parley.posts.get(id));
  } catch (problem) {
    if (problem instanceof ParleyError && problem.status === 404) postSignal(id).value = null;
    else throw problem;
  }
}

// --- lists --------------------------------------------------------------------------------------

export type PostList = PagedList<Id>;

/** Lists hold ids; the posts themselves are in one place. */
export function postList(name: string, fetch: (query: PageQuery) => Promise<Page<Post>>): PostList {
  return keptList(`posts:${name}`, () => {
    const ids = async (query: PageQuery): Promise<Page<Id>> => {
      const page = await fetch(query);
      return { items: page.items.map((post) => putPost(post).id), next_cursor: page.next_cursor };
    };
    return new PagedList<Id>(ids, (id) => id);
  });
}

export const feedList = (): PostList => postList('feed', (query) => parley.posts.feed(query));
export const popularList = (): PostList =>
  postList('popular', (query) => parley.posts.popular(query));
export const bookmarkList = (): PostList =>
  postList('bookmarks', (query) => parley.posts.bookmarks(query));
export const postsOf = (user: Id): PostList =>
  postList(`of:${user}`, (query) => parley.posts.ofUser(user, query));
export const postsTagged = (tag: string): PostList =>
  postList(`tag:${tag}`, (query) => parley.posts.ofTag(tag, query));

/** Posts that have come while the feed was being read: announced, shown when asked for. */
const announced = signal<readonly Id[]>([]);

/** Without those that are in the feed because it was read again since. */
export function freshPosts(): readonly Id[] {
  const shown = new Set(feedList().items.value);
  return announced.value.filter((id) => !shown.has(id));
}

export function showFresh(): void {
  feedList().prepend(...announced.peek());
  announced.value = [];
}

function removeEverywhere(id: Id): void {
  postSignal(id).value = null;
  announced.value = announced.peek().filter((one) => one !== id);
  for (const [name, list] of keptLists())
    if (name.startsWith('posts:')) (list as unknown as PostList).remove(id);
}

// --- what one does ------------------------------------------------------------------------------

/** A mark that is set or taken: shown at once, kept as the server has it. */
async function mark(
  id: Id,
  guess: (post: Post) => Post,
  call: () => Promise<Post>,
  otherwise: string,
): Promise<void> {
  const entry = postSignal(id);
  const before = entry.peek();
  if (!before) return;
  entry.value = guess(before);
  try {
    const { liked, bookmarked, like_count } = await call();
    const now = entry.peek();
    if (now) entry.value = { ...now, liked, bookmarked, like_count };
  } catch (problem) {
    const now = entry.peek();
    const { liked, bookmarked, like_count } = before;
    if (now) entry.value = { ...now, liked, bookmarked, like_count };
    notify(`${otherwise}: ${(problem as Error).message}`, 'problem');
  }
}

export function toggleLike({ id, liked }: Post): Promise<void> {
  return mark(
    id,
    (post) => ({ ...post, liked: !liked, like_count: post.like_count + (liked ? -1 : 1) }),
    () => (liked ? parley.posts.unlike(id) : parley.posts.like(id)),
    liked ? 'You still like this' : 'The like was not saved',
  );
}

export function toggleBookmark({ id, bookmarked }: Post): Promise<void> {
  if (bookmarked) bookmarkList().remove(id);
  else bookmarkList().prepend(id);
  return mark(
    id,
    (post) => ({ ...post, bookmarked: !bookmarked }),
    () => (bookmarked ? parley.posts.unbookmark(id) : parley.posts.bookmark(id)),
    bookmarked ? 'The bookmark is still there' : 'The bookmark was not saved',
  );
}

export async function publish(post: Parameters<typeof parley.posts.create>[0]): Promise<Post> {
  const made = putPost(await parley.posts.create(post, uuidv7()));
  appear(made);
  return made;
}

/** One's own posts need no announcement. */
function appear(post: Post): void {
  feedList().prepend(post.id);
  toProfile(post);
}

function toProfile(post: Post): void {
  for (const [name, list] of keptLists())
    if (name === `posts:of:${post.user_id}` && list.asked)
      (list as unknown as PostList).prepend(post.id);
}

/** Blocked or muted: what they wrote leaves the lists that mix people. */
export function dropPostsOf(author: Id): void {
  const theirs = (id: Id): boolean => posts.get(id)?.peek()?.user_id === author;
  announced.value = announced.peek().filter((id) => !theirs(id));
  for (const [name, list] of keptLists()) {
    if (!name.startsWith('posts:') || name === `posts:of:${author}`) continue;
    const ids = list as unknown as PostList;
    for (const id of ids.items.peek().filter(theirs)) ids.remove(id);
  }
}

/** Gone at once; back where it was when the server would not. */
export async function deletePost(post: Post): Promise<void> {
  const places = [...keptLists()]
    .filter(([name]) => name.startsWith('posts:'))
    .map(([, list]) => list as unknown as PostList)
    .map((list) => ({ list, items: list.items.peek() }))
    .filter(({ items }) => items.includes(post.id));
  removeEverywhere(post.id);
  try {
    await parley.posts.delete(post.id);
    notify('Post deleted.');
  } catch (problem) {
    putPost(post);
    for (const { list, items } of places) list.items.value = items;
    notify(`The post was not deleted: ${(problem as Error).message}`, 'problem');
  }
}

// --- what others do -----------------------------------------------------------------------------

let muted: (id: Id) => boolean = () => false;

/** Told by state/relations, which knows who is muted. */
export function hidePostsOf(rule: (id: Id) => boolean): void {
  muted = rule;
}

function created(post: Post): void {
  const known = posts.has(post.id);
  if (!known) putPost(post);
  if (post.user_id === me.peek()?.id) return appear(post);
  toProfile(post);
  const list = feedList();
  if (!list.asked || known || muted(post.user_id)) return;
  // Into a feed on its way too, or into an empty one: there is nothing yet that could jump.
  if (list.items.peek().length === 0) list.prepend(post.id);
  else announced.value = [post.id, ...announced.peek()];
}

/** Counts are not resumed: after an interruption those of the newest posts are read once more. */
let counted = 0;
const COUNT_EVERY_MS = 30_000;

function countAgain(): void {
  const now = Date.now();
  if (!feedList().loaded.peek() || now - counted < COUNT_EVERY_MS) return;
  counted = now;
  parley.posts.feed({ limit: 20 }).then(
    (page) => page.items.forEach(putPost),
    () => undefined,
  );
}

export function listenToPosts(): void {
  parley.on('ready', countAgain);
  parley.on('post.created', created);
  parley.on('post.updated', postHeard);
  parley.on('post.changed', postHeard);
  parley.on('post.deleted', (post) => removeEverywhere(post.id));
}

export function forgetPosts(): void {
  posts.clear();
  announced.value = [];
}
