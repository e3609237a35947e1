// People as one types: a pause, one request at a time, and only the newest answer counts.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { parley } from '../client';
import type { User } from '../../sdk/index';
import { learn } from './users';

const PAUSE_MS = 180;

export interface Found {
  list: User[];
  busy: boolean;
  problem: string | null;
  retry(): void;
}

export function usePeople(text: string, limit = 20): Found {
  const list = useSignal<User[]>([]);
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const round = useSignal(0);
  const query = text.trim();
  useEffect(() => {
    problem.value = null;
    if (!query) {
      list.value = [];
      busy.value = false;
      return undefined;
    }
    busy.value = true;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const page = await parley.users.search(query, { limit }, abort.signal);
        if (abort.signal.aborted) return;
        page.items.forEach(learn);
        list.value = page.items;
      } catch (caught) {
        if (abort.signal.aborted) return;
        list.value = [];
        problem.value = (caught as Error).message;
      }
      busy.value = false;
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [query, round.value]);
  const retry = (): void => void round.value++;
  return { list: list.value, busy: busy.value, problem: problem.value, retry };
}
