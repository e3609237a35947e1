// The comments of one post, as a tree whose branches are read when somebody opens them. Live while
// the post is watched: what is on show changes in place, what is not on show only counts.
import { signal } from '@preact/signals';
import { parley } from '../client';
import { uuidv7, type Comment, type Id } from '../../sdk/index';
import { PagedList } from './list';
import { notify } from './notices';

/** The answers to the post (null) or to one comment. */
type Parent = Id | null;

export class Thread {
  readonly branches = new Map<Parent, PagedList<Comment>>();
  /** Those whose place is counted already: event and answer tell of the same one. */
  readonly #counted = new Set<Id>();
  /** Branches that somebody has opened. */
  readonly open = signal<ReadonlySet<Parent>>(new Set([null]));
  /** Just written by this person, or just arrived: shown for a moment. */
  readonly flash = signal<Id | null>(null);

  constructor(readonly postId: Id) {}

  branch(parent: Parent): PagedList<Comment> {
    let list = this.branches.get(parent);
    if (!list) {
      list = new PagedList<Comment>(
        (query) =>
          parley.comments.list(this.postId, { ...query, ...(parent ? { reply_to: parent } : {}) }),
        (comment) => comment.id,
      );
      this.branches.set(parent, list);
    }
    return list;
  }

  async show(parent: Parent): Promise<void> {
    const next = new Set(this.open.peek());
    next.add(parent);
    this.open.value = next;
    await this.branch(parent).open(true);
  }

  hide(parent: Parent): void {
    const next = new Set(this.open.peek());
    next.delete(parent);
    this.open.value = next;
  }

  /** Something may have been missed. */
  async refetch(): Promise<void> {
    const shown = [...this.branches].filter(([parent]) => this.open.peek().has(parent));
    await Promise.all(shown.map(([, list]) => list.reload()));
  }

  async write(text: string, replyTo: Parent): Promise<void> {
    const body = { text, ...(replyTo ? { reply_to: replyTo } : {}) };
    const made = await parley.comments.create(this.postId, body, uuidv7());
    this.created(made, true);
    if (replyTo) await this.show(replyTo);
    this.flash.value = made.id;
    setTimeout(() => (this.flash.value = null), 1600);
  }

  async edit(comment: Comment, text: string): Promise<void> {
    this.#put({ ...comment, text, edited_at: new Date().toISOString() });
    try {
      this.#put(await parley.comments.update(this.postId, comment.id, text));
    } catch (problem) {
      this.#put(comment);
      throw problem;
    }
  }

  async remove(comment: Comment): Promise<void> {
    this.deleted({ ...comment, text: '', deleted_at: new Date().toISOString() });
    try {
      await parley.comments.delete(this.postId, comment.id);
    } catch (problem) {
      this.#put(comment);
      notify(`The comment was not deleted: ${(problem as Error).message}`, 'problem');
    }
  }

  created(comment: Comment, own = false): void {
    const list = this.branch(comment.reply_to);
    const counted = this.#counted.has(comment.id);
    this.#counted.add(comment.id);
    if (comment.reply_to && !counted) this.#count(comment.reply_to);
    // Oldest first: the newest belongs below what is still to be read, unless it is one's own.
    if (list.loaded.peek() && (list.done.peek() || own)) list.append(comment);
  }

  updated(comment: Comment): void {
    this.#put(comment);
  }

  deleted(comment: Comment): void {
    this.#put({ ...comment, text: '' });
  }

  #put(comment: Comment): void {
    const list = this.branches.get(comment.reply_to);
    const known = list?.items.peek().find((one) => one.id === comment.id);
    if (list && known) list.update({ ...known, ...comment });
  }

  /** One more answer below a comment, wherever that stands. */
  #count(id: Id): void {
    for (const list of this.branches.values()) {
      const known = list.items.peek().find((one) => one.id === id);
      if (known) return list.update({ ...known, reply_count: known.reply_count + 1 });
    }
  }
}

let current: Thread | null = null;

/** The same thread on the way back to its page. */
export function threadOf(postId: Id): Thread {
  if (current?.postId !== postId) current = new Thread(postId);
  return current;
}

const shown = (comment: Comment): Thread | null =>
  current?.postId === comment.post_id ? current : null;

export function listenToComments(): void {
  parley.on('comment.created', (comment) => shown(comment)?.created(comment));
  parley.on('comment.updated', (comment) => shown(comment)?.updated(comment));
  parley.on('comment.deleted', (comment) => shown(comment)?.deleted(comment));
}

export function forgetComments(): void {
  current = null;
}
