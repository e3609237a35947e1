// What is on show and changes under the reader's eyes. A component says which topic it shows and
// how to read it again; the union of all is what the connection watches.
import { useEffect } from 'preact/hooks';
import { parley } from '../client';

interface Watcher {
  topic: string;
  refresh(): void;
}

const watchers = new Set<Watcher>();

function say(): void {
  parley.connection.watch([...watchers].map((watcher) => watcher.topic));
}

function refresh(topics: readonly string[]): void {
  for (const watcher of [...watchers]) if (topics.includes(watcher.topic)) watcher.refresh();
}

parley.connection.events.on('watching', ({ topics }) => refresh(topics));
parley.connection.events.on('refetch', ({ topics }) => refresh(topics));

/**
 * While the component is there its topic is watched (null: nothing). `refresh` reads the thing
 * again: when the server begins to listen, after each reconnect, and now and then on a transport
 * that cannot watch.
 */
export function useWatch(topic: string | null, refresh: () => void): void {
  useEffect(() => {
    if (topic === null) return;
    const watcher = { topic, refresh };
    watchers.add(watcher);
    say();
    return () => {
      watchers.delete(watcher);
      say();
    };
  }, [topic]);
}
