// Who is typing where. Both directions fade by themselves: an event is good for six seconds, and
// ours is sent at most every three, as the server wants it.
import { signal } from '@preact/signals';
import { parley } from '../client';
import type { Id, Typing } from '../../sdk/index';
import { me } from './session';

const LASTS_MS = 6000;
const SENT_EVERY_MS = 3000;

const typing = signal<ReadonlyMap<Id, ReadonlyMap<Id, number>>>(new Map());
let sentAt = 0;
let sentTo: Id | null = null;

function set(chatId: Id, change: (people: Map<Id, number>) => void): void {
  const people = new Map(typing.peek().get(chatId));
  change(people);
  const next = new Map(typing.peek());
  if (people.size) next.set(chatId, people);
  else next.delete(chatId);
  typing.value = next;
}

export function typingHeard({ chat_id, user_id }: Typing): void {
  if (user_id === me.peek()?.id) return;
  const until = Date.now() + LASTS_MS;
  set(chat_id, (people) => people.set(user_id, until));
  setTimeout(() => {
    if (typing.peek().get(chat_id)?.get(user_id) === until) typingOver(chat_id, user_id);
  }, LASTS_MS);
}

/** Also when their message has come. */
export function typingOver(chatId: Id, userId: Id): void {
  if (typing.peek().get(chatId)?.has(userId)) set(chatId, (people) => people.delete(userId));
}

export const typersIn = (chatId: Id): Id[] => [...(typing.value.get(chatId)?.keys() ?? [])];

export function sayTyping(chatId: Id): void {
  const now = Date.now();
  if (sentTo === chatId && now - sentAt < SENT_EVERY_MS) return;
  sentTo = chatId;
  sentAt = now;
  void parley.chats.typing(chatId);
}

/** A message was sent: the next key begins a new phrase. */
export function typingDone(): void {
  sentTo = null;
}
