// A list that comes page by page and changes while it is looked at.
import { signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Pager, type FetchPage, type Id } from '../../sdk/index';

export class List<T extends { id: Id }> {
  /** null: nothing has come yet. */
  readonly items = signal<readonly T[] | null>(null);
  readonly done = signal(false);
  readonly problem = signal<string | null>(null);
  readonly loading = signal(false);
  #pager: Pager<T>;

  constructor(private readonly fetch: FetchPage<T>) {
    this.#pager = new Pager(fetch);
  }

  /** The next page; the first one when nothing has come yet. */
  async more(): Promise<void> {
    if (this.loading.peek() || this.done.peek()) return;
    const pager = this.#pager;
    this.loading.value = true;
    try {
      const page = await pager.next();
      if (pager !== this.#pager) return; // begun anew meanwhile
      const known = new Set((this.items.peek() ?? []).map((item) => item.id));
      this.items.value = [
        ...(this.items.peek() ?? []),
        ...page.filter((item) => !known.has(item.id)),
      ];
      this.done.value = pager.done;
      this.problem.value = null;
    } catch (caught) {
      if (pager === this.#pager) this.problem.value = (caught as Error).message;
    } finally {
      if (pager === this.#pager) this.loading.value = false;
    }
  }

  /** From the first page on; what is shown stays until it has come. */
  async reload(): Promise<void> {
    const pager = (this.#pager = new Pager(this.fetch));
    this.loading.value = true;
    try {
      const page = await pager.next();
      if (pager !== this.#pager) return;
      this.items.value = page;
      this.done.value = pager.done;
      this.problem.value = null;
    } catch (caught) {
      if (pager === this.#pager) this.problem.value = (caught as Error).message;
    } finally {
      if (pager === this.#pager) this.loading.value = false;
    }
  }

  /** Changes one item where it is; nothing happens when it is not on the list. */
  change(id: Id, change: (item: T) => T): void {
    this.items.value =
      this.items.peek()?.map((item) => (item.id === id ? change(item) : item)) ?? null;
  }

  /** Puts an item first, or in the place of the one with its id. */
  put(item: T): void {
    const items = this.items.peek() ?? [];
    if (items.some((other) => other.id === item.id)) this.change(item.id, () => item);
    else this.items.value = [item, ...items];
  }

  remove(id: Id): void {
    this.items.value = this.items.peek()?.filter((item) => item.id !== id) ?? null;
  }
}

/** A list of this component's own; made anew when one of `keys` changes. */
export function useList<T extends { id: Id }>(
  fetch: FetchPage<T>,
  keys: readonly unknown[] = [],
): List<T> {
  const list = useMemo(() => new List(fetch), keys);
  useEffect(() => void list.more(), [list]);
  return list;
}
