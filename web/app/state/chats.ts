// The chat list. The server's counts are the truth; between its answers the same sums are done
// here from events, and because every message has its place (seq), seeing one twice adds nothing.
import { computed, signal } from '@preact/signals';
import { parley } from '../client';
import type { Chat, ChatEvent, Id, MemberChange, Message, ReadChange } from '../../sdk/index';
import { me } from './session';
import { userName } from './users';

export const chats = signal<ReadonlyMap<Id, Chat>>(new Map());
export const chatsLoaded = signal(false);
export const chatsProblem = signal<string | null>(null);

export const activityOf = (chat: Chat): string => chat.last_message?.created_at ?? chat.created_at;

export const chatOrder = computed(() =>
  [...chats.value.values()].sort((a, b) => (activityOf(a) < activityOf(b) ? 1 : -1)),
);

export const unreadTotal = computed(() =>
  [...chats.value.values()].reduce((sum, chat) => sum + Math.max(chat.unread_count, 0), 0),
);

export function putChat(chat: Chat): void {
  const next = new Map(chats.peek());
  next.set(chat.id, chat);
  chats.value = next;
}

function patch(id: Id, change: (chat: Chat) => Chat): boolean {
  const old = chats.peek().get(id);
  if (!old) return false;
  const changed = change(old);
  if (changed !== old) putChat(changed);
  return true;
}

export function removeChat(id: Id): void {
  overtake();
  const next = new Map(chats.peek());
  if (next.delete(id)) chats.value = next;
}

let loading: Promise<void> | undefined;
let again = false; // what is being loaded may be older than it should be

/** Something has changed that an answer on its way may not know of. */
function overtake(): void {
  if (loading) again = true;
}

/** Loads every page; what is gone from the server goes from here. */
export function loadChats(): Promise<void> {
  overtake();
  loading ??= loadUntilNew().finally(() => (loading = undefined));
  return loading;
}

async function loadUntilNew(): Promise<void> {
  do {
    again = false;
    await loadAll();
  } while (again);
}

async function loadAll(): Promise<void> {
  const found = new Map<Id, Chat>();
  let cursor: string | undefined;
  try {
    do {
      const page = await parley.chats.list({ limit: 100, ...(cursor ? { cursor } : {}) });
      for (const chat of page.items) found.set(chat.id, newer(chats.peek().get(chat.id), chat));
      cursor = page.next_cursor ?? undefined;
      // The first page is shown at once; later pages join it.
      if (cursor) chats.value = new Map([...chats.peek(), ...found]);
    } while (cursor && found.size < 2000);
    chats.value = found;
    chatsProblem.value = null;
    chatsLoaded.value = true;
  } catch (problem) {
    chatsProblem.value = (problem as Error).message;
  }
}

/** Messages and read marks, which come all the time, may have overtaken the answer. */
function newer(known: Chat | undefined, loaded: Chat): Chat {
  if (!known) return loaded;
  if (known.last_seq > loaded.last_seq)
    return {
      ...loaded,
      last_seq: known.last_seq,
      last_message: known.last_message,
      read_seq: known.read_seq,
      unread_count: known.unread_count,
    };
  if (known.read_seq <= loaded.read_seq) return loaded;
  const unread = Math.max(loaded.last_seq - known.read_seq, 0);
  return {
    ...loaded,
    read_seq: known.read_seq,
    unread_count: Math.min(unread, loaded.unread_count),
  };
}

export async function fetchChat(id: Id): Promise<Chat | null> {
  overtake();
  try {
    const chat = newer(chats.peek().get(id), await parley.chats.get(id));
    putChat(chat);
    return chat;
  } catch {
    return null;
  }
}

export function messageSent(message: Message): void {
  const mine = message.sender_id === me.peek()?.id;
  const there = patch(message.chat_id, (chat) => {
    if (message.seq <= chat.last_seq) return chat;
    // One's own message means that one has seen all before it; the server counts so too.
    const read_seq = mine ? message.seq : chat.read_seq;
    return {
      ...chat,
      last_seq: message.seq,
      last_message: message,
      read_seq,
      unread_count: mine ? 0 : chat.unread_count + 1,
    };
  });
  if (!there) void fetchChat(message.chat_id);
}

export function messageChanged(message: Message): void {
  patch(message.chat_id, (chat) => {
    if (chat.last_message?.seq !== message.seq) return chat;
    overtake();
    return { ...chat, last_message: { ...chat.last_message, ...message } };
  });
}

/** What is the reader's own (role, counts) is not in the event and stays as it was. */
export function chatChanged(event: ChatEvent): void {
  if (event.deleted_at) return removeChat(event.id);
  overtake();
  const { title, member_count, settings } = event;
  if (!patch(event.id, (chat) => ({ ...chat, title, member_count, settings })))
    void fetchChat(event.id);
}

export function memberOfChatChanged(change: MemberChange): void {
  const { chat_id, user_id, role, member_count } = change;
  const mine = user_id === me.peek()?.id;
  if (mine && role === null) return removeChat(chat_id);
  overtake();
  const there = patch(chat_id, (chat) => ({
    ...chat,
    member_count,
    ...(mine && role ? { my_role: role } : {}),
  }));
  if (!there) void fetchChat(chat_id);
}

export function readInChat(change: ReadChange): void {
  if (change.user_id !== me.peek()?.id) return;
  patch(change.chat_id, (chat) => {
    if (change.seq < chat.read_seq) return chat;
    const unread = Math.max(chat.last_seq - change.seq, 0);
    return { ...chat, read_seq: change.seq, unread_count: Math.min(unread, chat.unread_count) };
  });
}

export function chatTitle(chat: Chat): string {
  if (chat.kind !== 'direct') return chat.title?.trim() || 'Untitled group';
  return chat.peer_id ? userName(chat.peer_id) : '…';
}

/** Opens the direct chat with someone; the server gives the same one every time. */
export async function openDirect(userId: Id): Promise<Chat> {
  const chat = await parley.chats.create({ kind: 'direct', member_ids: [userId] });
  overtake();
  putChat(newer(chats.peek().get(chat.id), chat));
  return chat;
}

export function forgetChats(): void {
  chats.value = new Map();
  chatsLoaded.value = false;
}
