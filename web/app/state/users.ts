// People by id, fetched once when first seen, a few at a time, and remembered between visits so
// that a long chat list costs no burst of requests.
import { signal, type Signal } from '@preact/signals';
import { parley } from '../client';
import { ParleyError, type Id, type User } from '../../sdk/index';
import { me } from './session';
import { readOwn, writeOwn } from './storage';

const known = new Map<Id, Signal<User | null>>();
const wanted: Id[] = [];
let running = 0;
const AT_ONCE = 4;
const REMEMBERED_MAX = 300;

/** Those that this person saw on an earlier visit. */
export function recallUsers(): void {
  const names = new Map(byName.peek());
  for (const user of readOwn<User[]>('users', [])) {
    if (known.has(user.id)) continue;
    known.set(user.id, signal(user));
    names.set(user.username.toLowerCase(), user.id);
  }
  byName.value = names;
}

export function userSignal(id: Id): Signal<User | null> {
  let entry = known.get(id);
  if (!entry) {
    known.set(id, (entry = signal(null)));
    wanted.push(id);
    void work();
  }
  return entry;
}

/** Profiles that came along with something else (a search, a member list). */
export function learn(user: User): void {
  const entry = known.get(user.id);
  if (entry) entry.value = { ...entry.peek(), ...user };
  else known.set(user.id, signal(user));
  const name = user.username.toLowerCase();
  if (byName.peek().get(name) !== user.id) byName.value = new Map(byName.peek()).set(name, user.id);
  remember();
}

/** Whose user name it is, as far as anybody by that name has been seen. */
const byName = signal<ReadonlyMap<string, Id>>(new Map());
export const userNamed = (name: string): Id | undefined => byName.value.get(name.toLowerCase());

/** Something about them has changed: whoever shows them shows it. */
export function userChanged(user: User): void {
  if (known.has(user.id)) learn(user);
}

export function nameOf(user: User | null | undefined): string {
  return user ? user.full_name?.trim() || user.username : '…';
}

export function userName(id: Id): string {
  if (me.value?.id === id) return nameOf(me.value);
  return nameOf(userSignal(id).value);
}

async function work(): Promise<void> {
  if (running >= AT_ONCE) return;
  running++;
  for (let id = wanted.shift(); id; id = wanted.shift()) {
    try {
      learn(await parley.users.get(id));
    } catch (problem) {
      const entry = known.get(id);
      if (!entry) continue; // signed out meanwhile
      if (problem instanceof ParleyError && problem.transient) {
        wanted.push(id);
        await new Promise((resolve) => setTimeout(resolve, problem.retryAfterMs || 5000));
      } else {
        // Gone, or hidden from us: asked again when the page is next loaded.
        entry.value = { id, username: 'unknown', full_name: 'Unknown person' };
      }
    }
  }
  running--;
}

let saving = 0;
function remember(): void {
  clearTimeout(saving);
  saving = window.setTimeout(() => {
    const all = [...known.values()].map((entry) => entry.peek()).filter((user) => user?.created_at);
    writeOwn(
      'users',
      all.slice(-REMEMBERED_MAX).map((user) => ({
        id: user!.id,
        username: user!.username,
        full_name: user!.full_name,
        bio: user!.bio,
        avatar_url: user!.avatar_url,
        is_private: user!.is_private,
        created_at: user!.created_at,
      })),
    );
  }, 1000);
}

export function forgetUsers(): void {
  known.clear();
  byName.value = new Map();
  wanted.length = 0;
  clearTimeout(saving);
}
