// The open conversation: head, log, who is typing, composer. Mounted anew for every chat.
import { useComputed, useSignal } from '@preact/signals';
import type { RefObject, VNode } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { parley } from '../client';
import { Avatar } from '../components/avatar';
import { Button, IconButton } from '../components/button';
import { Composer } from '../components/composer';
import { Confirm } from '../components/dialog';
import { Icon } from '../components/icon';
import { MessageRow, type MessageActions } from '../components/message_row';
import { OutgoingRow } from '../components/outgoing_row';
import { PersonAvatar, userFrom } from '../components/person';
import { Badge, Empty, TryAgain } from '../components/small';
import { VirtualList, type VirtualHandle } from '../components/virtual_list';
import { ago, dayHeading } from '../format';
import type { Chat, Id, Message } from '../../sdk/index';
import { chats, chatTitle } from '../state/chats';
import { Conversation, keyOf, type Row } from '../state/conversation';
import { loadMembers } from '../state/members';
import { today } from '../state/minute';
import { notify, orSay } from '../state/notices';
import { isOnline, presenceOf } from '../state/presence';
import { back } from '../state/route';
import type { Timeline } from '../state/timeline';
import { typersIn } from '../state/typing';
import { userName } from '../state/users';

interface PageProps {
  chatId: Id;
  onDetails(): void;
  detailsOpen: boolean;
}

/** Waits for the chat itself: where reading begins is known only then. */
export function ConversationPage(props: PageProps) {
  return chats.value.has(props.chatId) ? (
    <OpenConversation {...props} />
  ) : (
    <main class="conversation" aria-busy="true" />
  );
}

function OpenConversation({ chatId, onDetails, detailsOpen }: PageProps) {
  const conversation = useMemo(() => new Conversation(chatId), [chatId]);
  const list = useRef<VirtualHandle>(null);
  useEffect(() => {
    void conversation.timeline.load();
    void loadMembers(chatId);
    const look = (): void => conversation.markRead();
    addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    return () => {
      removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
      conversation.close();
    };
  }, [conversation]);
  const chat = conversation.chat.value;
  if (!chat) return null;
  return (
    <main class={`conversation ${chat.kind}`}>
      <Head chat={chat} onDetails={onDetails} detailsOpen={detailsOpen} />
      <Log conversation={conversation} chat={chat} handle={list} />
      <TypingLine chatId={chatId} />
      {mayWrite(chat) ? (
        <Composer conversation={conversation} onSent={() => list.current?.toEnd()} />
      ) : (
        <p class="read-only">Only owners and admins write in this channel.</p>
      )}
    </main>
  );
}

const mayWrite = (chat: Chat): boolean => chat.kind !== 'channel' || chat.my_role !== 'member';

function Head({
  chat,
  onDetails,
  detailsOpen,
}: {
  chat: Chat;
  onDetails(): void;
  detailsOpen: boolean;
}) {
  return (
    <header>
      <span class="only-narrow">
        <IconButton icon="back" label="Back to chats" onClick={() => back('/chats')} />
      </span>
      <button
        type="button"
        class="who"
        onClick={onDetails}
        aria-expanded={detailsOpen}
        aria-label={`${chatTitle(chat)}, details`}
      >
        {chat.peer_id ? (
          <PersonAvatar id={chat.peer_id} size="medium" presence />
        ) : (
          <Avatar id={chat.id} name={chatTitle(chat)} size="medium" group />
        )}
        <span class="words">
          <h1 dir="auto">{chatTitle(chat)}</h1>
          <span class="status">{statusOf(chat)}</span>
        </span>
      </button>
      <IconButton icon="info" label="Details" aria-pressed={detailsOpen} onClick={onDetails} />
    </header>
  );
}

function statusOf(chat: Chat): string {
  if (!chat.peer_id) return `${chat.member_count} member${chat.member_count === 1 ? '' : 's'}`;
  if (isOnline(chat.peer_id))
    return presenceOf(chat.peer_id)?.status === 'away' ? 'Away' : 'Online';
  const seen = presenceOf(chat.peer_id)?.last_seen;
  return seen ? `Last seen ${ago(seen)}` : `@${userFrom(chat.peer_id)?.username ?? '…'}`;
}

function Log({
  conversation,
  chat,
  handle,
}: {
  conversation: Conversation;
  chat: Chat;
  handle: RefObject<VirtualHandle | null>;
}) {
  const { timeline } = conversation;
  const focused = useSignal<string | null>(null);
  const [removing, setRemoving] = useState<Message | null>(null);
  const rows = conversation.rows.value;
  const last = useComputed(
    () => conversation.rows.value.findLast((row) => row.kind === 'message')?.key,
  );
  const actions = useMemo<MessageActions>(
    () => ({
      reply: (message) => conversation.reply(message),
      edit: (message) => conversation.edit(message),
      remove: setRemoving,
      jump: (seq) => void jump(conversation, handle.current, seq),
    }),
    [conversation],
  );

  const group = chat.kind !== 'direct';
  const drawRow = useCallback(
    (row: Row, tabbable: boolean): VNode => (
      <RowView
        row={row}
        group={group}
        conversation={conversation}
        tabbable={tabbable}
        actions={actions}
      />
    ),
    [conversation, actions, group],
  );

  if (timeline.problem.value)
    return (
      <div class="log">
        <Empty icon="alert" title="The messages could not be loaded">
          <p>{timeline.problem.value}</p>
          <Button onClick={() => void timeline.load()}>Try again</Button>
        </Empty>
      </div>
    );
  if (!timeline.loaded.value) return <div class="log" aria-busy="true" />;
  const tabbable = focused.value ?? last.value;
  return (
    <div
      class="log"
      onKeyDown={(event) => walk(event, handle.current)}
      onFocusCapture={(event) => {
        const row = (event.target as HTMLElement).closest<HTMLElement>('.row');
        if (row) focused.value = row.dataset.key ?? null;
      }}
    >
      <VirtualList
        rows={rows}
        handle={handle}
        label={`Messages in ${chatTitle(chat)}`}
        startKey={conversation.unreadAtOpen > 0 ? 'unread' : null}
        onNearTop={() => void (timeline.olderProblem.peek() ?? timeline.loadOlder())}
        onView={(atEnd, key) => conversation.seen(atEnd, key)}
        render={drawRow}
        markedKey={tabbable ?? null}
      />
      <div class="seeking" role="status">
        {conversation.seeking.value && (
          <div class="pill">
            <span class="spinner" /> Looking for the message…
          </div>
        )}
      </div>
      {!conversation.atEnd.value && <Jump chat={chat} onClick={() => handle.current?.toEnd()} />}
      {removing && (
        <Confirm
          title="Delete this message?"
          text="It disappears for everyone in this chat. This cannot be undone."
          action="Delete"
          onClose={() => setRemoving(null)}
          onConfirm={() => {
            const { seq } = removing;
            setRemoving(null);
            void orSay(
              'The message was not deleted',
              parley.messages.delete(chat.id, seq).then(() => timeline.deleted({ seq })),
            );
          }}
        />
      )}
    </div>
  );
}

function RowView({
  row,
  group,
  conversation,
  tabbable,
  actions,
}: {
  row: Row;
  group: boolean;
  conversation: Conversation;
  tabbable: boolean;
  actions: MessageActions;
}) {
  switch (row.kind) {
    case 'day':
      return (
        <div class="row" data-key={row.key} role="separator" aria-label={dayHeading(row.time, today.value)}>
          <div class="day">
            <span>{dayHeading(row.time, today.value)}</span>
          </div>
        </div>
      );
    case 'unread':
      return (
        <div class="row" data-key={row.key} role="separator" aria-label="New messages">
          <div class="unread-line">New messages</div>
        </div>
      );
    case 'loading':
      return (
        <div class="row" data-key={row.key}>
          <div class="loading">
            <Older timeline={conversation.timeline} />
          </div>
        </div>
      );
    case 'begin':
      return (
        <div class="row" data-key={row.key}>
          <div class="begin">This is the beginning of your conversation.</div>
        </div>
      );
    case 'outgoing':
      return <OutgoingRow row={row} conversation={conversation} />;
    case 'message':
      return (
        <MessageRow
          row={row}
          conversation={conversation}
          group={group}
          tabbable={tabbable}
          actions={actions}
        />
      );
  }
}

function Older({ timeline }: { timeline: Timeline }) {
  const problem = timeline.olderProblem.value;
  if (!problem || timeline.loadingOlder.value) return <span class="spinner" />;
  return (
    <TryAgain retry={() => timeline.loadOlder()}>
      Older messages could not be loaded: {problem}
    </TryAgain>
  );
}

async function jump(
  conversation: Conversation,
  list: VirtualHandle | null,
  seq: number,
): Promise<void> {
  const from = document.activeElement;
  const reached = await conversation.seek(seq);
  if (reached === null) return;
  if (!reached) return notify('That message cannot be reached now.', 'problem');
  const message = conversation.timeline.messages.peek().find((one) => one.seq === seq);
  if (!message || !list) return;
  const key = keyOf(message);
  conversation.flash(key);
  list.toKey(key, (row) => {
    // Whoever has gone elsewhere stays there: what they type is not for this message.
    const now = document.activeElement;
    const still = now === from && from?.closest('.row');
    if (still || now === document.body) row.focus({ preventScroll: true });
  });
}

/** Arrow keys go from message to message; Tab goes to what one can do with it. */
function walk(event: KeyboardEvent, list: VirtualHandle | null): void {
  const row = event.target as HTMLElement;
  if (!row.classList.contains('row') || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === 'End') {
    event.preventDefault();
    list?.toEnd();
    return;
  }
  if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
  event.preventDefault();
  const step = event.key === 'ArrowUp' ? 'previousElementSibling' : 'nextElementSibling';
  let next = row[step] as HTMLElement | null;
  while (next && next.getAttribute('role') !== 'article') next = next[step] as HTMLElement | null;
  if (next) {
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: 'nearest' });
  } else if (event.key === 'ArrowDown') {
    document.querySelector<HTMLElement>('.composer textarea')?.focus();
  }
}

function Jump({ chat, onClick }: { chat: Chat; onClick(): void }) {
  return (
    <button type="button" class="jump" onClick={onClick} aria-label="Jump to the newest message">
      <Badge count={chat.unread_count} label="unread" />
      <Icon name="down" size={19} />
    </button>
  );
}

function TypingLine({ chatId }: { chatId: Id }) {
  const people = typersIn(chatId).map(userName);
  const words =
    people.length === 0
      ? ''
      : people.length === 1
        ? `${people[0]} is typing`
        : people.length === 2
          ? `${people[0]} and ${people[1]} are typing`
          : 'Several people are typing';
  return (
    <div class="typing" role="status" data-testid="typing">
      {words && (
        <>
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {words}
        </>
      )}
    </div>
  );
}
