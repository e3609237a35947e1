// One chat's messages: always one unbroken stretch of seqs that ends at the newest, growing
// backwards as the person scrolls up. Holes cannot arise, because a message that does not follow
// the last one makes us fetch what lies between.
import { signal } from '@preact/signals';
import { parley } from '../client';
import type { Id, Message, ReactionChange } from '../../sdk/index';
import { Meanwhile } from './meanwhile';

const PAGE = 50;
const PAGE_MAX = 100;
/** Pages asked for at the same time on the way to a message far back. */
const AT_ONCE = 4;
/** What comes with it from before, so that it does not stand at the edge. */
const AROUND = 20;

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
  #backwards = 0; // readings of older messages that are on their way
  readonly #older = new Meanwhile();

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

  async loadOlder(): Promise<void> {
    if (!this.hasOlder || this.loadingOlder.peek()) return;
    this.loadingOlder.value = true;
    try {
      await this.#backward(async () => {
        const before = this.firstSeq;
        const page = await parley.messages.list(this.chatId, { before, limit: PAGE });
        return page.items.slice().reverse();
      });
      this.olderProblem.value = null;
    } catch (problem) {
      this.olderProblem.value = (problem as Error).message;
    } finally {
      this.loadingOlder.value = false;
    }
  }

  /** Loads everything from seq on, however far back that is. What came stays, also when the signal
   * ended it. false: not all came. */
  async reach(seq: number, signal: AbortSignal): Promise<boolean> {
    // More than once only where what is here was loaded anew meanwhile.
    for (let round = 0; round < 3 && this.firstSeq > seq && !signal.aborted; round++)
      await this.#backward(() =>
        this.#stretch(Math.max(seq - AROUND, 1), this.firstSeq - 1, signal),
      );
    return this.firstSeq <= seq && seq <= this.lastSeq;
  }

  /** As much of these seqs as comes, in one stretch that ends with the last of them. Seqs have no
   * gaps, so it is known which pages there are, and none has to wait for the one before. */
  async #stretch(first: number, last: number, signal: AbortSignal): Promise<Message[]> {
    const pages: Message[][] = [];
    let next = last;
    let failed = false;
    const hand = async (): Promise<void> => {
      while (next >= first && !failed) {
        const after = Math.max(next - PAGE_MAX, first - 1);
        const limit = next - after;
        const at = Math.floor((last - next) / PAGE_MAX);
        next = after;
        try {
          pages[at] = (await parley.messages.list(this.chatId, { after, limit }, signal)).items;
        } catch {
          failed = true;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, hand));
    const missing = Array.from(pages).findIndex((page) => page === undefined);
    return (missing < 0 ? pages : pages.slice(0, missing)).reverse().flat();
  }

  /** Puts before what is here what it follows; nothing where that has been loaded anew. */
  async #backward(read: () => Promise<Message[]>): Promise<void> {
    this.#backwards++;
    this.#older.begin();
    try {
      const older = (await read()).filter((one) => one.seq < this.firstSeq);
      if (older.at(-1)?.seq === this.firstSeq - 1)
        this.messages.value = [...older, ...this.messages.peek()];
    } finally {
      if (--this.#backwards === 0) this.#older.end();
    }
  }

  /** A change that an answer on its way, of either kind, may not know of. */
  #heard(change: () => void): void {
    this.#older.do(() => this.#meanwhile.do(change));
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
    this.#heard(() => this.#merge(message));
  }

  deleted(message: { seq: number; deleted_at?: string | null }): void {
    this.#heard(() =>
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
    this.#heard(() =>
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
