// What the pages look at, put together: the server sends the events of these topics. Whoever wants
// a topic says so while it is on show; the ones wanted last come first when there are too many.
import { parley } from '../client';
import { useEffect, useRef } from 'preact/hooks';

const wanted = new Map<string, number>();
const listeners = new Map<string, Set<() => void>>();

function tell(): void {
  parley.watch([...wanted.keys()].reverse());
}

/** Until the function that is returned is called. */
export function watch(topic: string): () => void {
  const count = wanted.get(topic) ?? 0;
  wanted.delete(topic);
  wanted.set(topic, count + 1);
  tell();
  let over = false;
  return () => {
    if (over) return;
    over = true;
    const left = (wanted.get(topic) ?? 1) - 1;
    if (left > 0) wanted.set(topic, left);
    else wanted.delete(topic);
    tell();
  };
}

/** Watches while the component is there (null: nothing). `refetch` is called when something may have
 * been missed: once the server listens, after each reconnection, and every so often where it
 * cannot listen. */
export function useWatch(topic: string | null, refetch: () => void): void {
  const newest = useRef(refetch);
  newest.current = refetch;
  useEffect(() => {
    if (topic === null) return;
    const mine = listeners.get(topic) ?? new Set();
    const listener = (): void => newest.current();
    listeners.set(topic, mine);
    mine.add(listener);
    const unwatch = watch(topic);
    return () => {
      unwatch();
      mine.delete(listener);
      if (mine.size === 0) listeners.delete(topic);
    };
  }, [topic]);
}

let heard: readonly string[] = [];

export function listenToWatches(): void {
  const ask = (topics: readonly string[]): void => {
    for (const topic of topics) for (const refetch of listeners.get(topic) ?? []) refetch();
  };
  parley.on('watching', ({ topics }) => {
    // What was listened to before has missed nothing.
    ask(topics.filter((topic) => !heard.includes(topic)));
    heard = topics;
  });
  parley.on('refetch', ({ topics }) => ask(topics));
  parley.on('state', (state) => {
    if (state !== 'open') heard = [];
  });
}

export function forgetWatches(): void {
  heard = [];
}
