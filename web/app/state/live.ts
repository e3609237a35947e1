// Where events meet state: the one place that knows which event changes what.
import { computed, effect, signal } from '@preact/signals';
import { parley } from '../client';
import type { Chat, ConnectionState, Message } from '../../sdk/index';
import * as chatState from './chats';
import { forgetEdits } from './conversation';
import { forgetDrafts } from './drafts';
import { forgetEvents, listenToEvents } from './events';
import { forgetMembers, loadMembers, memberChanged, readChanged } from './members';
import { missed, returned } from './missed';
import { notify, speak } from './notices';
import { forgetComments, listenToComments } from './comments';
import { forgetLists } from './list';
import { forgetPosts, listenToPosts } from './posts';
import { forgetPresence, keepWatching, presenceHeard } from './presence';
import { forgetRead, sayReadAgain } from './read';
import { forgetRelations, listenToRelations, loadRelations, loadRequests } from './relations';
import { navigate, openChatId } from './route';
import { me, phase } from './session';
import { listenToSignals } from './signals';
import { forgetStories, listenToStories } from './stories';
import { pageTitle } from './title';
import { allTimelines, forgetTimelines, openTimeline, timelineOf } from './timeline';
import { typingHeard, typingOver } from './typing';
import { forgetUsers, learn, recallUsers, userChanged, userName } from './users';
import { forgetWatches, listenToWatches } from './watch';

export const connection = signal<ConnectionState>('idle');
export const connected = computed(() => connection.value === 'open');

/** Shown only after a while: a hiccup is not worth a word. */
export const reconnecting = signal(false);
let hiccup = 0;
const HICCUP_MS = 700;

function sent(message: Message): void {
  typingOver(message.chat_id, message.sender_id);
  chatState.messageSent(message);
  openTimeline(message.chat_id)?.sent(message);
  const open = openChatId.peek() === message.chat_id;
  if (open && message.sender_id !== me.peek()?.id && message.text)
    speak(`${userName(message.sender_id)}: ${message.text}`);
}

function deleted(message: Message): void {
  openTimeline(message.chat_id)?.deleted(message);
  chatState.messageChanged({
    ...message,
    text: '',
    deleted_at: message.deleted_at ?? new Date().toISOString(),
  });
}

/** The chat on show is none of ours any more. */
function leaveChat(chat: Chat | undefined, why: (title: string) => string): void {
  if (!chat || openChatId.peek() !== chat.id) return;
  notify(why(`“${chatState.chatTitle(chat)}”`));
  navigate('/chats', true);
}

/** Events were missed: all that has been loaded may have holes. */
function loadAgain(): void {
  missed.value++;
  void chatState.loadChats();
  void loadRequests();
  for (const timeline of allTimelines()) {
    if (timeline.chatId === openChatId.peek()) {
      void timeline.reload();
      void loadMembers(timeline.chatId, true);
    } else timeline.drop();
  }
}

let everReady = false;

function ready(): void {
  // What was loaded before the stream began may have missed something in between.
  if (!everReady) loadAgain();
  else {
    returned.value++;
    if (chatState.chatsProblem.peek()) void chatState.loadChats();
  }
  everReady = true;
  const open = openChatId.peek();
  const timeline = open ? openTimeline(open) : undefined;
  if (timeline?.problem.peek()) void timeline.load();
  if (timeline?.olderProblem.peek()) void timeline.loadOlder();
  sayReadAgain();
}

/** Subjects that listen for themselves: told once, when the page begins. */
const listeners: (() => void)[] = [
  listenToPosts,
  listenToComments,
  listenToRelations,
  listenToStories,
  listenToWatches,
  listenToEvents,
  listenToSignals,
];

/** What must not be there any more when the next person signs in. */
const forgetters: (() => void)[] = [
  forgetLists,
  forgetPosts,
  forgetComments,
  forgetRelations,
  forgetStories,
  forgetWatches,
  forgetEvents,
];

function listen(): void {
  for (const start of listeners) start();
  parley.on('user.updated', (user) => {
    userChanged(user);
    // What only oneself sees of oneself is not in the event.
    if (user.id === me.peek()?.id)
      parley.users.me().then(
        (own) => (me.value = own),
        () => undefined,
      );
  });
  parley.on('ready', ready);
  parley.on('resync', loadAgain);
  parley.on('message.sent', sent);
  parley.on('message.updated', (message) => {
    openTimeline(message.chat_id)?.changed(message);
    chatState.messageChanged(message);
  });
  parley.on('message.deleted', deleted);
  parley.on('reaction.changed', (change) => openTimeline(change.chat_id)?.reacted(change));
  parley.on('chat.created', (chat) => void chatState.fetchChat(chat.id));
  parley.on('chat.updated', (chat) => {
    const known = chatState.chats.peek().get(chat.id);
    chatState.chatChanged(chat);
    if (chat.deleted_at) leaveChat(known, (title) => `${title} was deleted.`);
  });
  parley.on('member.changed', (change) => {
    const known = chatState.chats.peek().get(change.chat_id);
    memberChanged(change);
    chatState.memberOfChatChanged(change);
    if (change.role === null && change.user_id === me.peek()?.id)
      leaveChat(known, (title) =>
        // The first to be heard of a deleted chat: nobody is left.
        change.member_count === 0 ? `${title} was deleted.` : `You are no longer in ${title}.`,
      );
  });
  parley.on('read.changed', (change) => {
    readChanged(change);
    chatState.readInChat(change);
  });
  parley.on('typing', typingHeard);
  parley.on('presence.changed', presenceHeard);
  parley.outbox.events.on('sent', ({ message }) => {
    chatState.messageSent(message);
    timelineOf(message.chat_id).sent(message);
  });
}

function watchConnection(): void {
  parley.on('state', (state) => {
    connection.value = state;
    if (state === 'open' || state === 'idle') {
      clearTimeout(hiccup);
      hiccup = 0;
      reconnecting.value = false;
    } else if (!hiccup) {
      hiccup = window.setTimeout(() => (reconnecting.value = true), HICCUP_MS);
    }
  });
  addEventListener('online', () => parley.connection.poke());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') parley.connection.poke();
  });
}

function forget(): void {
  everReady = false;
  chatState.forgetChats();
  forgetTimelines();
  forgetMembers();
  forgetPresence();
  forgetDrafts();
  forgetEdits();
  forgetRead();
  forgetUsers();
  for (const forgetOne of forgetters) forgetOne();
}

export function startLive(): void {
  listen();
  watchConnection();
  keepWatching(() => connected.value);
  effect(() => {
    if (phase.value === 'signed_in') {
      recallUsers();
      learn(me.peek()!);
      // The list does not wait for the stream: `ready` loads it once more if it came first.
      void chatState.loadChats();
      loadRelations();
    } else if (phase.value === 'signed_out') forget();
  });
  effect(() => {
    const inside = phase.value === 'signed_in';
    const unread = inside ? chatState.unreadTotal.value : 0;
    const name = inside && pageTitle.value ? `${pageTitle.value} · Parley` : 'Parley';
    document.title = unread ? `(${unread > 99 ? '99+' : unread}) ${name}` : name;
  });
}
