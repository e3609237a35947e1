// What one open conversation is busy with: answering, editing, where reading began, what was read.
import { computed, signal } from '@preact/signals';
import { parley } from '../client';
import type { Chat, Id, Message, OutgoingMessage, Reaction } from '../../sdk/index';
import type { VirtualRow } from '../components/virtual_list';
import { dayKey } from '../format';
import { chats, readInChat } from './chats';
import { chatDraft, draftOf, replyDraft, setDraft } from './drafts';
import { notify, orSay } from './notices';
import { outgoingOf } from './outgoing';
import { sayRead } from './read';
import { me } from './session';
import { timelineOf } from './timeline';

export interface DayRow extends VirtualRow {
  kind: 'day';
  time: string;
}
export interface EdgeRow extends VirtualRow {
  kind: 'loading' | 'begin' | 'unread';
}
export interface MessageRow extends VirtualRow {
  kind: 'message';
  message: Message;
  /** First and last of a run of messages by one person. */
  first: boolean;
  last: boolean;
}
export interface OutgoingRow extends VirtualRow {
  kind: 'outgoing';
  outgoing: OutgoingMessage;
  first: boolean;
  last: boolean;
}
export type Row = DayRow | EdgeRow | MessageRow | OutgoingRow;

const RUN_MS = 5 * 60_000;
const READ_EVERY_MS = 400;
const FLASH_MS = 1400;

export function keyOf(message: Pick<Message, 'id' | 'client_id' | 'sender_id'>): string {
  // Stays the same when an outgoing message becomes a sent one: its row is kept, nothing blinks.
  return message.client_id ? `${message.sender_id}:${message.client_id}` : message.id;
}

/** Messages that were being changed when their chat was left, for the way back to it. */
const unfinished = new Map<Id, { message: Message; text: string }>();

export function forgetEdits(): void {
  unfinished.clear();
}

export class Conversation {
  readonly timeline;
  /** What stands in the composer: a draft, or the text of the message being edited. */
  readonly text;
  /** The seq of the message that is answered; kept with the draft. */
  readonly replyTo;
  readonly editing = signal<Message | null>(null);
  /** A change is on its way; until it has arrived, its text stays in the composer. */
  readonly saving = signal(false);
  /** The composer's field, while there is one: typing goes on there at once, not a frame later. */
  field: HTMLTextAreaElement | null = null;
  readonly atEnd = signal(true);
  readonly flashKey = signal<string | null>(null);
  /** A message far back is on its way, and the reader will be taken there. */
  readonly seeking = signal(false);
  #seek: AbortController | undefined;
  #flashTimer = 0;
  /** The last message that had been read when the chat was opened. */
  readonly readAtOpen: number;
  readonly unreadAtOpen: number;
  #readTimer = 0;
  #seen = 0;

  constructor(readonly chatId: Id) {
    this.timeline = timelineOf(chatId);
    const left = unfinished.get(chatId);
    unfinished.delete(chatId);
    this.editing.value = left?.message ?? null;
    this.text = signal(left?.text ?? draftOf(chatDraft(chatId)));
    this.replyTo = signal(left ? null : this.#keptReply());
    const chat = chats.peek().get(chatId);
    this.readAtOpen = chat?.read_seq ?? 0;
    this.unreadAtOpen = chat?.unread_count ?? 0;
  }

  readonly chat = computed<Chat | undefined>(() => chats.value.get(this.chatId));

  readonly rows = computed<readonly Row[]>(() => {
    const rows: Row[] = [];
    const own = me.value?.id ?? '';
    const messages = this.timeline.messages.value;
    rows.push(
      this.timeline.hasOlder
        ? { kind: 'loading', key: 'edge', guess: 56, fleeting: true }
        : { kind: 'begin', key: 'edge', guess: 120, fleeting: true },
    );
    let before: Written | null = null;
    let unreadShown = this.unreadAtOpen === 0;
    for (const message of messages) {
      const newDay = !before || whenOf(before).day !== whenOf(message).day;
      if (newDay) rows.push(dayRow(message.created_at));
      const unread = !unreadShown && message.seq > this.readAtOpen && message.sender_id !== own;
      if (unread) {
        unreadShown = true;
        rows.push({ kind: 'unread', key: 'unread', guess: 42, fleeting: true });
      }
      const first = newDay || unread || !runsOn(before, message);
      closeRun(rows, first);
      rows.push(messageRow(message, first, true));
      before = message;
    }
    const waiting = outgoingOf(this.chatId);
    const known = new Set(waiting.length ? messages.map((one) => one.client_id) : []);
    for (const outgoing of waiting) {
      if (known.has(outgoing.client_id)) continue;
      const written: Written = { sender_id: own, created_at: outgoing.created_at };
      const newDay = !before || whenOf(before).day !== whenOf(written).day;
      if (newDay) rows.push(dayRow(outgoing.created_at));
      const first = newDay || !runsOn(before, written);
      closeRun(rows, first);
      rows.push({
        kind: 'outgoing',
        key: `${own}:${outgoing.client_id}`,
        guess: 46,
        outgoing,
        first,
        last: true,
      });
      before = written;
    }
    return rows;
  });

  /** One's own; in groups and channels, owner and admins may also delete what others wrote. */
  mayDelete(message: Message): boolean {
    const chat = this.chat.value;
    return (
      message.sender_id === me.value?.id ||
      (chat !== undefined && chat.kind !== 'direct' && chat.my_role !== 'member')
    );
  }

  reply(message: Message): void {
    if (this.editing.peek()) this.text.value = draftOf(chatDraft(this.chatId));
    this.editing.value = null;
    this.answer(message.seq);
    this.field?.focus();
  }

  /** Kept like a draft. null: what is written answers nothing (any more). */
  answer(seq: number | null): void {
    setDraft(replyDraft(this.chatId), seq === null ? '' : String(seq));
    this.replyTo.value = seq;
  }

  #keptReply(): number | null {
    return Number(draftOf(replyDraft(this.chatId))) || null;
  }

  edit(message: Message): void {
    this.replyTo.value = null;
    this.editing.value = message;
    this.text.value = message.text;
    this.field?.focus();
  }

  /** Editing goes on until the server has the change: what was written is not lost. */
  async saveEdit(message: Message, words: string): Promise<void> {
    if (words === message.text) return this.leaveContext();
    this.saving.value = true;
    const change = parley.messages.edit(this.chatId, message.seq, words);
    const changed = await orSay('The change was not saved', change);
    this.saving.value = false;
    if (!changed) return;
    this.timeline.changed(changed);
    const left = unfinished.get(this.chatId);
    if (left?.message === message && left.text.trim() === words) unfinished.delete(this.chatId);
    if (this.editing.peek() !== message) return;
    if (this.text.peek().trim() === words) this.leaveContext();
    else this.editing.value = changed;
  }

  /** Neither answering nor editing any more. */
  leaveContext(): void {
    if (this.editing.peek()) {
      this.text.value = draftOf(chatDraft(this.chatId));
      this.editing.value = null;
      this.replyTo.value = this.#keptReply();
    } else this.answer(null);
    this.field?.focus();
  }

  /** The list tells which row was seen last; what can be seen by a reader is read. */
  seen(atEnd: boolean, key: string | null): void {
    if (this.atEnd.peek() !== atEnd) this.atEnd.value = atEnd;
    const rows = this.rows.peek();
    let index = atEnd ? rows.length - 1 : rows.findIndex((row) => row.key === key);
    while (index >= 0 && rows[index]!.kind !== 'message') index--;
    const row = rows[index];
    if (row?.kind === 'message') this.#seen = Math.max(this.#seen, row.message.seq);
    this.markRead();
  }

  markRead(): void {
    if (this.#readTimer || !this.#unreadSeen()) return;
    this.#readTimer = window.setTimeout(() => {
      this.#readTimer = 0;
      if (!this.#unreadSeen()) return;
      const seq = this.#seen;
      readInChat({ chat_id: this.chatId, user_id: me.peek()?.id ?? '', seq });
      sayRead(this.chatId, seq);
    }, READ_EVERY_MS);
  }

  #unreadSeen(): boolean {
    const chat = this.chat.peek();
    return (
      chat !== undefined &&
      this.#seen > chat.read_seq &&
      document.visibilityState === 'visible' &&
      document.hasFocus()
    );
  }

  /** Loads what is between here and that message. null: somebody did something else meanwhile, and
   * is not to be moved; false: it cannot be reached. */
  async seek(seq: number): Promise<boolean | null> {
    this.#seek?.abort();
    if (this.timeline.firstSeq <= seq) return seq <= this.timeline.lastSeq;
    const seek = new AbortController();
    const { signal } = seek;
    this.#seek = seek;
    const otherwise = (event: Event): void => {
      if (!(event as KeyboardEvent).repeat) seek.abort();
    };
    for (const type of ['keydown', 'pointerdown', 'wheel', 'touchmove'])
      addEventListener(type, otherwise, { capture: true, passive: true, signal });
    signal.addEventListener('abort', () => (this.seeking.value = false));
    this.seeking.value = true;
    const reached = await this.timeline.reach(seq, signal);
    if (signal.aborted) return null;
    seek.abort(); // nobody listens any more
    return reached;
  }

  flash(key: string): void {
    clearTimeout(this.#flashTimer);
    this.flashKey.value = key;
    this.#flashTimer = window.setTimeout(() => (this.flashKey.value = null), FLASH_MS);
  }

  close(): void {
    clearTimeout(this.#readTimer);
    clearTimeout(this.#flashTimer);
    this.#seek?.abort();
    const message = this.editing.peek();
    if (message) unfinished.set(this.chatId, { message, text: this.text.peek() });
  }

  async toggleReaction(message: Message, emoji: string): Promise<void> {
    const mine = isMine(message.reactions.find((one) => one.emoji === emoji));
    const reactions = withReaction(message.reactions, emoji, !mine);
    this.timeline.changed({ ...message, reactions });
    try {
      if (mine) await parley.messages.unreact(this.chatId, message.seq, emoji);
      else await parley.messages.react(this.chatId, message.seq, emoji);
    } catch (problem) {
      notify(`The reaction was not saved: ${(problem as Error).message}`, 'problem');
      void this.timeline.refetch(message.seq);
    }
  }
}

const dayRow = (time: string): DayRow => ({
  kind: 'day',
  key: `day-${dayKey(time)}`,
  guess: 46,
  fleeting: true,
  time,
});

type Written = Pick<Message, 'sender_id' | 'created_at'>;

interface When {
  day: string;
  ms: number;
}

/** Dates are dear: with thousands of messages on the list each is read once. */
const times = new WeakMap<Written, When>();

function whenOf(written: Written): When {
  let when = times.get(written);
  if (!when) {
    when = { day: dayKey(written.created_at), ms: Date.parse(written.created_at) };
    times.set(written, when);
  }
  return when;
}

function runsOn(before: Written | null, next: Written): boolean {
  return (
    before !== null &&
    before.sender_id === next.sender_id &&
    whenOf(next).ms - whenOf(before).ms < RUN_MS
  );
}

/** The same message in the same place is the same row: what has not changed is not drawn again. */
const made = new WeakMap<Message, MessageRow[]>();

function messageRow(message: Message, first: boolean, last: boolean): MessageRow {
  let all = made.get(message);
  if (!all) made.set(message, (all = []));
  let row = all.find((one) => one.first === first && one.last === last);
  if (!row)
    all.push(
      (row = {
        kind: 'message',
        key: keyOf(message),
        guess: guessHeight(message),
        message,
        first,
        last,
      }),
    );
  return row;
}

/** The row before is only the last of its run if this one begins another. */
function closeRun(rows: Row[], first: boolean): void {
  const row = rows.at(-1);
  if (row?.kind === 'message') rows[rows.length - 1] = messageRow(row.message, row.first, first);
  else if (row?.kind === 'outgoing') row.last = first;
}

function guessHeight(message: Message): number {
  const lines = Math.ceil(message.text.length / 70) || 1;
  return 24 + lines * 22 + (message.reactions.length ? 32 : 0) + (message.reply_to ? 46 : 0);
}

export function isMine(reaction: Reaction | undefined): boolean {
  return reaction?.user_ids.includes(me.peek()?.id ?? '') ?? false;
}

function withReaction(list: readonly Reaction[], emoji: string, add: boolean): Reaction[] {
  const own = me.peek()?.id ?? '';
  const old = list.find((one) => one.emoji === emoji);
  if (!old) return add ? [...list, { emoji, count: 1, user_ids: [own] }] : [...list];
  const users = old.user_ids.filter((id) => id !== own);
  const next = {
    ...old,
    count: old.count + (add ? 1 : -1),
    user_ids: add ? [...users, own] : users,
  };
  return list.map((one) => (one === old ? next : one)).filter((one) => one.count > 0);
}
