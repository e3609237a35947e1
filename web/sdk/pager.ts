// Lists that come page by page, as one thing that is asked for more.
import type { Page, PageQuery } from './types';

export type FetchPage<T> = (query: PageQuery) => Promise<Page<T>>;

/**
 * `next()` gives the following page, and nothing once all has come. Callers share a page that is on
 * its way; a failure leaves the place as it was, so the same page is asked for again.
 *
 *   for await (const user of new Pager((page) => parley.social.followers(id, page))) …
 */
export class Pager<T> implements AsyncIterable<T> {
  #cursor: string | null | undefined;
  #running: Promise<T[]> | undefined;

  constructor(
    private readonly fetch: FetchPage<T>,
    private readonly limit = 30,
  ) {}

  get done(): boolean {
    return this.#cursor === null;
  }

  next(): Promise<T[]> {
    this.#running ??= this.#fetchNext().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #fetchNext(): Promise<T[]> {
    if (this.#cursor === null) return [];
    const page = await this.fetch({
      limit: this.limit,
      ...(this.#cursor === undefined ? {} : { cursor: this.#cursor }),
    });
    this.#cursor = page.next_cursor;
    return page.items;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    while (!this.done) yield* await this.next();
  }
}
