// Who is there. The people of direct chats are watched on the socket; their first state is fetched.
import { effect, signal, untracked } from '@preact/signals';
import { parley } from '../client';
import { ParleyError, type Id, type Presence } from '../../sdk/index';
import { chats } from './chats';

const present = signal<ReadonlyMap<Id, Presence>>(new Map());
const WATCHED_MAX = 100;

export const presenceOf = (id: Id): Presence | undefined => present.value.get(id);
export const isOnline = (id: Id): boolean => {
  const status = present.value.get(id)?.status;
  return status !== undefined && status !== 'offline';
};

export function presenceHeard(presence: Presence): void {
  present.value = new Map(present.peek()).set(presence.user_id, presence);
}

let watched = '';
/** A server may be run without presence: asked once, then not again. */
let absent = false;

async function watch(ids: Id[]): Promise<void> {
  if (ids.length === 0 || absent) return;
  try {
    // First the watching, so that nothing falls between. A server without presence has no such op.
    if (parley.connection.canRequest) await parley.presence.watch(ids);
    const { items } = await parley.presence.get(ids);
    const next = new Map(present.peek());
    for (const entry of items) next.set(entry.user_id, entry);
    present.value = next;
  } catch (problem) {
    // Everyone reads as offline, nothing else breaks.
    absent = problem instanceof ParleyError && problem.status === 404;
  }
}

/** Follows the chat list; `connected` is read so that a new socket is told again. */
export function keepWatching(connected: () => boolean): () => void {
  return effect(() => {
    if (!connected()) {
      watched = '';
      return;
    }
    const ids = [...chats.value.values()]
      .filter((chat) => chat.kind === 'direct')
      .map((chat) => chat.peer_id)
      .filter((id): id is Id => id !== null)
      .slice(0, WATCHED_MAX)
      .sort();
    const key = ids.join();
    if (key === watched) return;
    watched = key;
    untracked(() => void watch(ids));
  });
}

export function forgetPresence(): void {
  present.value = new Map();
  watched = '';
}
