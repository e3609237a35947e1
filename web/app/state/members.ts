// Who is in which chat and how far they have read. Loaded when a chat is opened, kept up
// to date by events.
import { signal, type Signal } from '@preact/signals';
import { parley } from '../client';
import type { Id, Member, MemberChange, ReadChange } from '../../sdk/index';
import { Meanwhile } from './meanwhile';
import { me } from './session';

const byChat = new Map<Id, Signal<Member[] | null>>();
const loading = new Map<Id, Promise<void>>();
const meanwhile = new Map<Id, Meanwhile>();

export function membersOf(chatId: Id): Signal<Member[] | null> {
  let entry = byChat.get(chatId);
  if (!entry) byChat.set(chatId, (entry = signal(null)));
  return entry;
}

/** Why there are none, as long as there are none. */
export const membersProblem = signal<ReadonlyMap<Id, string>>(new Map());

function setProblem(chatId: Id, problem: string | null): void {
  if (!problem && !membersProblem.peek().has(chatId)) return;
  const next = new Map(membersProblem.peek());
  if (problem) next.set(chatId, problem);
  else next.delete(chatId);
  membersProblem.value = next;
}

function meanwhileIn(chatId: Id): Meanwhile {
  let entry = meanwhile.get(chatId);
  if (!entry) meanwhile.set(chatId, (entry = new Meanwhile()));
  return entry;
}

export function loadMembers(chatId: Id, again = false): Promise<void> {
  const entry = membersOf(chatId);
  if (entry.peek() && !again) return Promise.resolve();
  const running = loading.get(chatId);
  if (running) return again ? running.then(() => loadMembers(chatId, true)) : running;
  meanwhileIn(chatId).begin();
  const started = fetchAll(chatId)
    .then((members) => {
      entry.value = members;
      setProblem(chatId, null);
    })
    .catch((problem: Error) => setProblem(chatId, problem.message))
    .finally(() => {
      loading.delete(chatId);
      meanwhileIn(chatId).end();
    });
  loading.set(chatId, started);
  return started;
}

async function fetchAll(chatId: Id): Promise<Member[]> {
  const members: Member[] = [];
  let cursor: string | undefined;
  do {
    const page = await parley.chats.members(chatId, { limit: 100, ...(cursor ? { cursor } : {}) });
    members.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor && members.length < 1000);
  return members;
}

export function memberChanged(change: MemberChange): void {
  meanwhileIn(change.chat_id).do(() => putMember(change));
}

function putMember(change: MemberChange): void {
  const entry = byChat.get(change.chat_id);
  const list = entry?.peek();
  if (!entry || !list) return;
  const without = list.filter((one) => one.user_id !== change.user_id);
  const old = list.find((one) => one.user_id === change.user_id);
  entry.value = change.role
    ? [
        ...without,
        {
          read_seq: 0,
          ...old,
          user_id: change.user_id,
          role: change.role,
          joined_at: change.joined_at ?? old?.joined_at ?? new Date().toISOString(),
        },
      ]
    : without;
}

export function readChanged(change: ReadChange): void {
  meanwhileIn(change.chat_id).do(() => putRead(change));
}

function putRead(change: ReadChange): void {
  const entry = byChat.get(change.chat_id);
  const list = entry?.peek();
  if (!entry || !list) return;
  entry.value = list.map((one) =>
    one.user_id === change.user_id ? { ...one, read_seq: Math.max(one.read_seq, change.seq) } : one,
  );
}

/** How many of the others have read up to seq. */
export function readersOf(chatId: Id, seq: number): { read: Id[]; others: number } {
  const others = (membersOf(chatId).value ?? []).filter((one) => one.user_id !== me.value?.id);
  const read = others.filter((one) => one.read_seq >= seq).map((one) => one.user_id);
  return { read, others: others.length };
}

export function forgetMembers(): void {
  byChat.clear();
  membersProblem.value = new Map();
  meanwhile.clear();
}
