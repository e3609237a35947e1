// One chat's messages: always one unbroken stretch of seqs that ends at the newest, growing
// backwards as the person scrolls up. Holes cannot arise, because a message that does not follow
// the last one makes us fetch what lies between.
import { signal } from '@preact/signals';
import { parley } from '../client';
import type { Id, Message, ReactionChange } from '../../sdk/index';
import { Meanwhile } from './meanwhile';

const PAGE = 50;

export class Timeline {
  readonly messages = signal<readonly Message[]>([]);
  readonly loaded = signal(false);
  readonly loadingOlder = signal(false);
  readonly problem = signal<string | null>(null);
  /** What is above could not be loaded: somebody has to say "again". */
  readonly olderProblem = signal<string | null>(null);
  #loading: Promise<void> | undefined;
  #stale = false; // what is being loaded may be older than it should be
  #filling = false;
  readonly #meanwhile = new Meanwhile();

  constructor(readonly chatId: Id) {}

  get firstSeq(): number {
    return this.messages.value[0]?.seq ?? 0;
  }

  get lastSeq(): number {
    return this.messages.peek().at(-1)?.seq ?? 0;
  }

  /** Whether there is more above; seqs begin at 1. */
  get hasOlder(): boolean {
    return this.loaded.value && this.firstSeq > 1;
  }

  load(): Promise<void> {
    return this.loaded.peek() ? Promise.resolve() : this.#loadNewest();
  }

  /** When events have been missed: what we hold may have holes in its history of changes. */
  reload(): Promise<void> {
    if (this.#loading) this.#stale = true;
    return this.loaded.peek() || this.#loading ? this.#loadNewest() : Promise.resolve();
  }

  /** The same for one that nobody looks at: it is loaded when somebody does. */
  drop(): void {
    this.#stale = true;
    this.loaded.value = false;
  }

  #loadNewest(): Promise<void> {
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #load(): Promise<void> {
    this.#meanwhile.begin();
    try {
      let newest: Message[];
      do {
        this.#stale = false;
        const page = await parley.messages.list(this.chatId, { limit: PAGE });
        newest = page.items.slice().reverse();
      } while (this.#stale);
      this.messages.value = newest;
      this.olderProblem.value = null;
      this.loaded.value = true;
      this.problem.value = null;
    } catch (problem) {
      this.problem.value = (problem as Error).message;
    }
    this.#meanwhile.end();
  }

  async loadOlder(limit = PAGE): Promise<void> {
    if (!this.hasOlder || this.loadingOlder.peek()) return;
    this.loadingOlder.value = true;
    try {
      const before = this.firstSeq;
      const page = await parley.messages.list(this.chatId, { before, limit });
      const older = page.items.filter((one) => one.seq < this.firstSeq).reverse();
      this.messages.value = [...older, ...this.messages.peek()];
      this.olderProblem.value = null;
    } catch (problem) {
      this.olderProblem.value = (problem as Error).message;
    } finally {
      this.loadingOlder.value = false;
    }
  }

  /** Makes sure that seq is loaded; false when it is too far away or the server is. */
  async reach(seq: number): Promise<boolean> {
    for (let page = 0; page < 50 && this.firstSeq > seq; page++) {
      const before = this.firstSeq;
      await this.loadOlder(100);
      if (this.firstSeq === before) return false;
    }
    return this.firstSeq <= seq && seq <= this.lastSeq;
  }

  sent(message: Message): void {
    this.#meanwhile.do(() => this.#put(message));
  }

  #put(message: Message): void {
    if (!this.loaded.peek()) return;
    if (message.seq <= this.lastSeq) return this.#merge(message);
    if (message.seq === this.lastSeq + 1) {
      this.messages.value = [...this.messages.peek(), message];
      return;
    }
    void this.fill();
  }

  /** Fetches whatever is after the last message we have. */
  async fill(): Promise<void> {
    if (this.#filling || !this.loaded.peek()) return;
    this.#filling = true;
    try {
      for (;;) {
        const after = this.lastSeq;
        const page = await parley.messages.list(this.chatId, { after, limit: 100 });
        const fresh = page.items.filter((one) => one.seq > this.lastSeq);
        if (fresh.length) this.messages.value = [...this.messages.peek(), ...fresh];
        if (page.items.length < 100) break;
      }
    } catch {
      // The next event, or the next connection, asks again.
    } finally {
      this.#filling = false;
    }
  }

  changed(message: Message): void {
    this.#meanwhile.do(() => this.#merge(message));
  }

  deleted(message: { seq: number; deleted_at?: string | null }): void {
    this.#meanwhile.do(() =>
      this.#replace(message.seq, (old) => ({
        ...old,
        text: '',
        reactions: [],
        attachments: [],
        deleted_at: message.deleted_at ?? old.deleted_at ?? new Date().toISOString(),
      })),
    );
  }

  reacted(change: ReactionChange): void {
    this.#meanwhile.do(() =>
      this.#replace(change.seq, (old) => ({ ...old, reactions: change.reactions })),
    );
  }

  async refetch(seq: number): Promise<void> {
    try {
      this.changed(await parley.messages.get(this.chatId, seq));
    } catch {
      // Shown as it was.
    }
  }

  #merge(message: Message): void {
    this.#replace(message.seq, (old) => ({ ...old, ...message }));
  }

  #replace(seq: number, change: (old: Message) => Message): void {
    const list = this.messages.peek();
    const at = seq - (list[0]?.seq ?? 0);
    const old = list[at];
    if (!old || old.seq !== seq) return;
    const next = list.slice();
    next[at] = change(old);
    this.messages.value = next;
  }
}

const timelines = new Map<Id, Timeline>();

export function timelineOf(chatId: Id): Timeline {
  let timeline = timelines.get(chatId);
  if (!timeline) timelines.set(chatId, (timeline = new Timeline(chatId)));
  return timeline;
}

/** Only where the chat has been opened already: others load when they are. */
export const openTimeline = (chatId: Id): Timeline | undefined => timelines.get(chatId);
export const allTimelines = (): Timeline[] => [...timelines.values()];
export const forgetTimelines = (): void => timelines.clear();
