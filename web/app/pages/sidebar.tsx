// The chat list, with search over chats and people, and one's own corner.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Avatar } from '../components/avatar';
import { Button, IconButton } from '../components/button';
import { SearchField } from '../components/field';
import { PersonAvatar, PersonWords } from '../components/person';
import { Badge, ChatListSkeleton, Empty, TryAgain } from '../components/small';
import { fullTime, listTime } from '../format';
import type { Chat, Id, User } from '../../sdk/index';
import {
  activityOf,
  chatOrder,
  chats,
  chatsLoaded,
  chatsProblem,
  chatTitle,
  loadChats,
  openDirect,
} from '../state/chats';
import { usePeople } from '../state/find_people';
import { today } from '../state/minute';
import { orSay } from '../state/notices';
import { navigate, openChatId } from '../state/route';
import { me } from '../state/session';
import { typersIn } from '../state/typing';
import { userName } from '../state/users';

export function Sidebar({ onCompose }: { onCompose(): void }) {
  const text = useSignal('');
  const people = usePeople(text.value);
  const query = text.value.trim().toLocaleLowerCase();
  const found = query
    ? chatOrder.value.filter((chat) => chatTitle(chat).toLocaleLowerCase().includes(query))
    : chatOrder.value;
  const known = new Set([...chats.value.values()].map((chat) => chat.peer_id));
  const others = people.list.filter((user) => user.id !== me.value?.id && !known.has(user.id));

  const done = (): void => void (text.value = '');
  return (
    <nav class="sidebar" aria-label="Chats">
      <div class="bar">
        <h2>Chats</h2>
        <IconButton icon="compose" label="New chat" onClick={onCompose} />
      </div>
      <div class="find">
        <SearchField
          label="Search chats and people"
          value={text.value}
          shortcut="Ctrl K"
          onText={(value) => (text.value = value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape' && text.peek()) {
              event.stopPropagation();
              done();
            } else if (event.key === 'Enter') {
              document
                .querySelector<HTMLElement>('.sidebar .scroll .chat-row, .sidebar .scroll .person')
                ?.click();
            }
          }}
        />
      </div>
      <div class="scroll" onKeyDown={walk}>
        {chatsProblem.value && !chatsLoaded.value && (
          <TryAgain retry={loadChats}>The chats could not be loaded.</TryAgain>
        )}
        {!chatsLoaded.value && !chatsProblem.value && chats.value.size === 0 && (
          <ChatListSkeleton />
        )}
        {chatsLoaded.value && chats.value.size === 0 && !query && (
          <Empty icon="chat" title="No chats yet">
            <p>Find someone by name and say hello.</p>
            <Button look="primary" icon="plus" onClick={onCompose}>
              New chat
            </Button>
          </Empty>
        )}
        {query && found.length > 0 && <h2 class="group-title">Chats</h2>}
        <ul>
          {found.map((chat) => (
            <li key={chat.id}>
              <ChatRow chat={chat} onOpen={done} />
            </li>
          ))}
        </ul>
        {query && (
          <People users={others} busy={people.busy} none={found.length === 0} onOpen={done} />
        )}
      </div>
    </nav>
  );
}

function People({
  users,
  busy,
  none,
  onOpen,
}: {
  users: User[];
  busy: boolean;
  none: boolean;
  onOpen(): void;
}) {
  if (users.length === 0)
    return none && !busy ? (
      <Empty icon="search" title="Nobody found">
        <p>Try another spelling, or a user name.</p>
      </Empty>
    ) : null;
  return (
    <>
      <h2 class="group-title">People</h2>
      <ul>
        {users.map((user) => (
          <li key={user.id}>
            <button
              type="button"
              class="person"
              onClick={() =>
                void orSay('The chat could not be opened', openDirect(user.id)).then((chat) => {
                  if (!chat) return;
                  onOpen();
                  navigate(`/c/${chat.id}`);
                })
              }
            >
              <PersonWords user={user} />
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function ChatRow({ chat, onOpen }: { chat: Chat; onOpen(): void }) {
  const open = openChatId.value === chat.id;
  const row = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (open) row.current?.scrollIntoView({ block: 'nearest' });
  }, [open]);
  const title = chatTitle(chat);
  const unread = chat.unread_count > 0;
  return (
    <a
      ref={row}
      href={`/c/${chat.id}`}
      class={`chat-row${unread ? ' unread' : ''}`}
      aria-current={open ? 'page' : undefined}
      onClick={onOpen}
    >
      {chat.peer_id ? (
        <PersonAvatar id={chat.peer_id} presence />
      ) : (
        <Avatar id={chat.id} name={title} group />
      )}
      <span class="lines">
        <span class="top">
          <span class="title" dir="auto">
            {title}
          </span>
          <time dateTime={activityOf(chat)} title={fullTime(activityOf(chat))}>
            {listTime(activityOf(chat), today.value)}
          </time>
        </span>
        <span class="top">
          <span class="last" dir="auto">
            <LastLine chat={chat} />
          </span>
          <Badge count={chat.unread_count} label="unread" />
        </span>
      </span>
    </a>
  );
}

function LastLine({ chat }: { chat: Chat }) {
  const typers = typersIn(chat.id);
  if (typers.length > 0)
    return (
      <span class="typing-word">
        {chat.peer_id ? 'typing…' : `${userName(typers[0]!)} is typing…`}
      </span>
    );
  const message = chat.last_message;
  if (!message) return <>No messages yet</>;
  const words = message.deleted_at ? 'Message deleted' : message.text;
  const who = author(chat, message.sender_id);
  return (
    <>
      {/* The words decide which way the line runs, not the name before them. */}
      {who && <bdi>{who}:</bdi>} {words}
    </>
  );
}

function author(chat: Chat, sender: Id): string {
  if (sender === me.value?.id) return 'You';
  return chat.peer_id ? '' : userName(sender).split(' ')[0]!;
}

/** Arrow keys go up and down whatever is listed. */
function walk(event: KeyboardEvent): void {
  if (event.altKey || (event.key !== 'ArrowDown' && event.key !== 'ArrowUp')) return;
  const list = event.currentTarget as HTMLElement;
  const stops = [...list.querySelectorAll<HTMLElement>('.chat-row, button.person')];
  const now = stops.indexOf(document.activeElement as HTMLElement);
  const next = stops[now + (event.key === 'ArrowDown' ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
