// How the signed-in person and others stand to each other, and who asks to follow.
import { signal, type Signal } from '@preact/signals';
import { parley } from '../client';
import type { FollowChange, Id, Relationship, User } from '../../sdk/index';
import { keptList, PagedList } from './list';
import { notify } from './notices';
import { dropPostsOf, hidePostsOf } from './posts';
import { me } from './session';
import { learn } from './users';

const relations = new Map<Id, Signal<Relationship | null>>();

export function relationTo(id: Id): Signal<Relationship | null> {
  let entry = relations.get(id);
  if (!entry) relations.set(id, (entry = signal(null)));
  return entry;
}

export async function loadRelation(id: Id): Promise<void> {
  relationTo(id).value = await parley.social.relationship(id);
}

const muted = signal<ReadonlySet<Id>>(new Set());
hidePostsOf((id) => muted.peek().has(id));

type Deed = 'follow' | 'unfollow' | 'block' | 'unblock' | 'mute' | 'unmute';

const guesses: Record<Deed, (now: Relationship) => Partial<Relationship>> = {
  follow: (now) =>
    now.is_private && !now.following
      ? { follow_requested: true }
      : { following: true, follower_count: now.follower_count + (now.following ? 0 : 1) },
  unfollow: (now) => ({
    following: false,
    follow_requested: false,
    follower_count: now.follower_count - (now.following ? 1 : 0),
  }),
  block: () => ({ blocking: true, following: false, follow_requested: false, followed_by: false }),
  // Not before the server has it: what they published is asked for at once, and refused until then.
  unblock: () => ({}),
  mute: () => ({ muting: true }),
  unmute: () => ({ muting: false }),
};

/** Shown at once, and as the server has it afterwards. */
export async function relate(id: Id, deed: Deed): Promise<boolean> {
  const entry = relationTo(id);
  const before = entry.peek();
  if (before) entry.value = { ...before, ...guesses[deed](before) };
  try {
    entry.value = await parley.social[deed](id);
    const next = new Set(muted.peek());
    if (entry.peek()?.muting || entry.peek()?.blocking) {
      next.add(id);
      dropPostsOf(id);
    } else next.delete(id);
    muted.value = next;
    return true;
  } catch (problem) {
    entry.value = before;
    notify(`That did not work: ${(problem as Error).message}`, 'problem');
    return false;
  }
}

// --- who asks -----------------------------------------------------------------------------------

/** Lists of people teach the names in them. */
export function peopleList(
  name: string,
  fetch: ConstructorParameters<typeof PagedList<User>>[0],
): PagedList<User> {
  return keptList(`people:${name}`, () => {
    const learning: typeof fetch = async (query) => {
      const page = await fetch(query);
      page.items.forEach(learn);
      return page;
    };
    return new PagedList<User>(learning, (user) => user.id, 40);
  });
}

export const requestList = (): PagedList<User> =>
  peopleList('requests', (query) => parley.social.requests(query));
/** As far as they are known: exact where a badge says a number, "99+" is all it says beyond. */
export const requestCount = signal(0);
const COUNTED_MAX = 100;

export async function loadRequests(): Promise<void> {
  const list = requestList();
  await list.reload();
  for (let known = -1; known < list.items.peek().length && known < COUNTED_MAX; ) {
    known = list.items.peek().length;
    requestCount.value = known;
    if (known < COUNTED_MAX) await list.more();
  }
  requestCount.value = list.items.peek().length;
}

export async function answerRequest(user: User, accept: boolean): Promise<void> {
  const list = requestList();
  const before = list.items.peek();
  list.remove(user.id);
  requestCount.value = list.items.peek().length;
  try {
    if (accept) await parley.social.accept(user.id);
    else await parley.social.refuse(user.id);
  } catch (problem) {
    list.items.value = before;
    requestCount.value = before.length;
    notify(`That did not work: ${(problem as Error).message}`, 'problem');
  }
}

// --- events -------------------------------------------------------------------------------------

function followChanged({ user_id, target_id }: FollowChange): void {
  const own = me.peek()?.id;
  if (target_id === own) void loadRequests();
  for (const id of [user_id, target_id])
    if (relations.get(id)?.peek()) void loadRelation(id).catch(() => undefined);
}

export function listenToRelations(): void {
  parley.on('follow.changed', followChanged);
  parley.on('block.changed', ({ target_id, blocked }) => {
    if (blocked) dropPostsOf(target_id);
    if (relations.get(target_id)?.peek()) void loadRelation(target_id).catch(() => undefined);
  });
}

/** Once per sign-in: what decides about all pages. */
export function loadRelations(): void {
  void loadRequests();
  parley.social.muted({ limit: 100 }).then(
    (page) => (muted.value = new Set(page.items.map((user) => user.id))),
    () => undefined,
  );
}

export function forgetRelations(): void {
  relations.clear();
  muted.value = new Set();
  requestCount.value = 0;
}
