// A list that comes page by page from the server and is kept while one looks elsewhere, so that
// the way back finds it as it was.
import { useEffect } from 'preact/hooks';
import { signal } from '@preact/signals';
import { Pager, type FetchPage } from '../../sdk/index';
import { Meanwhile } from './meanwhile';
import { missed, useReturn } from './missed';

export class PagedList<T> {
  readonly items = signal<readonly T[]>([]);
  readonly loaded = signal(false);
  readonly busy = signal(false);
  /** All there is has come. */
  readonly done = signal(false);
  readonly problem = signal<string | null>(null);
  #pager: Pager<T>;
  #round = 0;
  #stale = false; // it was to be read again, and has not been
  #asOf = -1; // what `missed` said when this was read
  readonly #meanwhile = new Meanwhile();

  constructor(
    private readonly fetch: FetchPage<T>,
    private readonly keyOf: (item: T) => unknown,
    private readonly limit = 20,
  ) {
    this.#pager = new Pager(fetch, limit);
  }

  /** On the way back to a page the list stays as it is; otherwise it is read again. */
  async open(keep: boolean): Promise<void> {
    if (this.loaded.peek() && keep && this.#asOf === missed.peek()) return;
    await this.reload();
  }

  /** What is on show stays until the answer has come. */
  async reload(): Promise<void> {
    const pager = new Pager(this.fetch, this.limit);
    const round = ++this.#round;
    const asOf = missed.peek();
    this.#stale = true;
    this.#meanwhile.begin();
    await this.#take(pager, round, (items) => {
      this.#pager = pager;
      this.#asOf = asOf;
      this.#stale = false;
      this.items.value = items;
      this.loaded.value = true;
      if (round === this.#round) this.#meanwhile.end();
    });
    if (round === this.#round) this.#meanwhile.end();
  }

  /** Read already, or on its way: whoever changes what it lists changes it too. */
  get asked(): boolean {
    return this.loaded.peek() || this.busy.peek();
  }

  /** Once more, if anybody has asked at all. */
  async refresh(): Promise<void> {
    if (this.asked) await this.reload();
  }

  async more(): Promise<void> {
    if (!this.loaded.peek() || this.busy.peek() || this.done.peek() || this.problem.peek()) return;
    await this.retry();
  }

  /** Also after a failure. */
  async retry(): Promise<void> {
    if (!this.loaded.peek() || this.#stale) return this.reload();
    await this.#take(this.#pager, this.#round, (items) => {
      const known = new Set(this.items.peek().map(this.keyOf));
      const fresh = items.filter((item) => !known.has(this.keyOf(item)));
      this.items.value = [...this.items.peek(), ...fresh];
    });
  }

  async #take(pager: Pager<T>, round: number, put: (items: T[]) => void): Promise<void> {
    this.busy.value = true;
    try {
      const items = await pager.next();
      // The first answer is shown even when a newer one has been asked for.
      if (round !== this.#round && this.loaded.peek()) return;
      put(items);
      this.problem.value = null;
      this.done.value = pager.done;
    } catch (problem) {
      if (round === this.#round) this.problem.value = (problem as Error).message;
    }
    if (round === this.#round) this.busy.value = false;
  }

  /** New ones at the front; what is known already stays where it is. */
  prepend(...fresh: T[]): void {
    this.#meanwhile.do(() => {
      const known = new Set(this.items.peek().map(this.keyOf));
      const added = fresh.filter((item) => !known.has(this.keyOf(item)));
      if (added.length) this.items.value = [...added, ...this.items.peek()];
    });
  }

  append(item: T): void {
    this.#meanwhile.do(() => {
      if (!this.items.peek().some((one) => this.keyOf(one) === this.keyOf(item)))
        this.items.value = [...this.items.peek(), item];
    });
  }

  update(item: T): void {
    const key = this.keyOf(item);
    this.#meanwhile.do(() => {
      this.items.value = this.items.peek().map((one) => (this.keyOf(one) === key ? item : one));
    });
  }

  remove(key: unknown): void {
    this.#meanwhile.do(() => {
      const left = this.items.peek().filter((one) => this.keyOf(one) !== key);
      if (left.length !== this.items.peek().length) this.items.value = left;
    });
  }
}

/** Reads the list for the component that shows it, and again whenever something may have been
 * missed. `keep`: on the way back it stays as it was. */
export function useList<T>(list: PagedList<T>, keep = false): void {
  const round = missed.value;
  useEffect(() => void list.open(keep), [list, round]);
  // Also where nothing says that it could not be loaded.
  useReturn(() => {
    if (list.problem.peek() && !list.busy.peek()) void list.retry();
  });
}

/** Lists by name, so that a page finds its own again; the oldest ones are forgotten. */
const kept = new Map<string, PagedList<never>>();
const KEPT_MAX = 24;

export function keptList<T>(name: string, make: () => PagedList<T>): PagedList<T> {
  const list = (kept.get(name) as unknown as PagedList<T> | undefined) ?? make();
  kept.delete(name);
  kept.set(name, list as unknown as PagedList<never>);
  for (const old of kept.keys()) if (kept.size > KEPT_MAX) kept.delete(old);
  return list;
}

export const keptLists = (): Iterable<[string, PagedList<never>]> => kept.entries();

export function forgetLists(): void {
  kept.clear();
}
