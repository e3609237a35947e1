// One message in the log: bubble, quote, reactions, state, and the tools that come with pointer,
// tap or keyboard focus.
import { useRef, useState } from 'preact/hooks';
import type { Message } from '../../sdk/index';
import { clockTime, fullTime, isOnlyEmoji } from '../format';
import { readersOf } from '../state/members';
import { isMine, type Conversation, type MessageRow as Row } from '../state/conversation';
import { me } from '../state/session';
import { userName } from '../state/users';
import { hueOf } from './avatar';
import { IconButton } from './button';
import { EmojiPicker } from './emoji_picker';
import { Icon } from './icon';
import { MessageText } from './message_text';
import { PersonAvatar } from './person';
import { Menu, type MenuItem } from './popover';

export interface MessageActions {
  reply(message: Message): void;
  edit(message: Message): void;
  remove(message: Message): void;
  jump(seq: number): void;
}

export function MessageRow({
  row,
  conversation,
  group,
  tabbable,
  actions,
}: {
  row: Row;
  conversation: Conversation;
  group: boolean;
  tabbable: boolean;
  actions: MessageActions;
}) {
  const { message, first, last } = row;
  const own = message.sender_id === me.value?.id;
  const flash = conversation.flashKey.value === row.key;
  // Tab stops once in the whole log; within, the arrow keys go from message to message.
  const tabIndex = tabbable ? 0 : -1;
  const names = ['message', own && 'own', first && 'first', last && 'last', flash && 'flash'];
  return (
    <div
      class="row"
      data-key={row.key}
      data-seq={message.seq}
      role="article"
      tabIndex={tabIndex}
      aria-label={describe(message, own)}
      onKeyDown={(event) => onKey(event, message, conversation, actions)}
    >
      <div class={names.filter(Boolean).join(' ')}>
        {group && !own && (last ? <PersonAvatar id={message.sender_id} size="small" /> : <span />)}
        <div class="stack">
          {group && !own && first && (
            <span class="name" dir="auto" style={{ '--hue': hueOf(message.sender_id) }}>
              {userName(message.sender_id)}
            </span>
          )}
          <div class="line">
            <Bubble
              message={message}
              own={own}
              conversation={conversation}
              actions={actions}
              tabIndex={tabIndex}
            />
            {!message.deleted_at && (
              <Tools
                message={message}
                own={own}
                conversation={conversation}
                actions={actions}
                tabIndex={tabIndex}
              />
            )}
          </div>
        </div>
        <Reactions message={message} conversation={conversation} tabIndex={tabIndex} />
      </div>
    </div>
  );
}

function describe(message: Message, own: boolean): string {
  const who = own ? 'You' : userName(message.sender_id);
  const what = message.deleted_at ? 'deleted message' : message.text;
  return `${who}, ${clockTime(message.created_at)}: ${what}${message.edited_at ? ', edited' : ''}`;
}

function onKey(
  event: KeyboardEvent,
  message: Message,
  conversation: Conversation,
  actions: MessageActions,
): void {
  if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey)
    return;
  if (message.deleted_at) return;
  if (event.key === 'r') actions.reply(message);
  else if (event.key === 'e' && message.sender_id === me.peek()?.id) actions.edit(message);
  else if (event.key === 'Delete' && conversation.mayDelete(message)) actions.remove(message);
  else return;
  event.preventDefault();
}

interface PartProps {
  message: Message;
  own: boolean;
  conversation: Conversation;
  actions: MessageActions;
  tabIndex: number;
}

function Bubble({ message, own, conversation, actions, tabIndex }: PartProps) {
  if (message.deleted_at)
    return (
      <div class="bubble deleted">
        {own ? 'You deleted this message' : 'This message was deleted'}
        <Meta message={message} own={false} chatId={conversation.chatId} />
      </div>
    );
  const text = message.text;
  const large = isOnlyEmoji(text) && !message.reply_to;
  return (
    <div class={`bubble${large ? ' large-emoji' : ''}`} dir="auto">
      {message.reply_to !== null && (
        <Quote
          seq={message.reply_to}
          conversation={conversation}
          onOpen={actions.jump}
          tabIndex={tabIndex}
        />
      )}
      <MessageText text={text} tabIndex={tabIndex} />
      <Meta message={message} own={own} chatId={conversation.chatId} />
    </div>
  );
}

function Meta({ message, own, chatId }: { message: Message; own: boolean; chatId: string }) {
  return (
    <span class="meta" aria-hidden="true">
      {message.edited_at && !message.deleted_at && <span>edited</span>}
      <time dateTime={message.created_at} title={fullTime(message.created_at)}>
        {clockTime(message.created_at)}
      </time>
      {own && <Ticks chatId={chatId} seq={message.seq} />}
    </span>
  );
}

/** One tick: the server has it. Two: someone has read it. */
function Ticks({ chatId, seq }: { chatId: string; seq: number }) {
  const { read, others } = readersOf(chatId, seq);
  const title =
    read.length === 0 ? 'Sent' : others > 1 ? `Read by ${read.length} of ${others}` : 'Read';
  return (
    <span title={title} data-state={read.length ? 'read' : 'sent'}>
      <Icon name={read.length ? 'checks' : 'check'} size={15} />
    </span>
  );
}

export function Quote({
  seq,
  conversation,
  onOpen,
  tabIndex,
}: {
  seq: number;
  conversation: Conversation;
  onOpen?: (seq: number) => void;
  tabIndex?: number;
}) {
  const original = conversation.timeline.messages.value.find((one) => one.seq === seq);
  const words = !original
    ? 'Earlier message'
    : original.deleted_at
      ? 'Deleted message'
      : original.text;
  const inside = (
    <>
      {original && (
        <span class="from" dir="auto">
          {userName(original.sender_id)}
        </span>
      )}
      <span class="words" dir="auto">
        {words}
      </span>
    </>
  );
  return onOpen ? (
    <button type="button" class="quote" tabIndex={tabIndex} onClick={() => onOpen(seq)}>
      {inside}
    </button>
  ) : (
    <div class="quote">{inside}</div>
  );
}

function Reactions({
  message,
  conversation,
  tabIndex,
}: {
  message: Message;
  conversation: Conversation;
  tabIndex: number;
}) {
  const list = message.deleted_at ? [] : message.reactions.filter((one) => one.count > 0);
  if (list.length === 0) return null;
  return (
    <div class="reactions">
      {list.map((reaction) => {
        const mine = isMine(reaction);
        const who = reaction.user_ids
          .slice(0, 8)
          .map((id) => userName(id))
          .join(', ');
        return (
          <button
            key={reaction.emoji}
            type="button"
            class="reaction"
            tabIndex={tabIndex}
            aria-pressed={mine}
            title={who}
            aria-label={`${reaction.emoji}, ${reaction.count}`}
            onClick={() => void conversation.toggleReaction(message, reaction.emoji)}
          >
            <span>{reaction.emoji}</span> {reaction.count}
          </button>
        );
      })}
    </div>
  );
}

function Tools({ message, own, conversation, actions, tabIndex }: PartProps) {
  const [open, setOpen] = useState<'emoji' | 'menu' | null>(null);
  const emojiButton = useRef<HTMLSpanElement>(null);
  const menuButton = useRef<HTMLSpanElement>(null);
  const items: MenuItem[] = [
    { icon: 'reply', label: 'Reply', act: () => actions.reply(message) },
    {
      icon: 'copy',
      label: 'Copy text',
      act: () => void navigator.clipboard?.writeText(message.text),
    },
  ];
  if (own) items.push({ icon: 'edit', label: 'Edit', act: () => actions.edit(message) });
  if (conversation.mayDelete(message))
    items.push({
      icon: 'trash',
      label: 'Delete',
      danger: true,
      act: () => actions.remove(message),
    });
  return (
    <div class="tools" role="group" aria-label="Message actions">
      <span ref={emojiButton}>
        <IconButton
          icon="smile"
          label="React"
          small
          tabIndex={tabIndex}
          aria-expanded={open === 'emoji'}
          onClick={() => setOpen('emoji')}
        />
      </span>
      <span ref={menuButton}>
        <IconButton
          icon="more"
          label="More actions"
          small
          tabIndex={tabIndex}
          aria-expanded={open === 'menu'}
          onClick={() => setOpen('menu')}
        />
      </span>
      {open === 'emoji' && (
        <EmojiPicker
          anchor={emojiButton}
          label="Choose a reaction"
          onPick={(emoji) => void conversation.toggleReaction(message, emoji)}
          onClose={() => setOpen(null)}
        />
      )}
      {open === 'menu' && (
        <Menu
          anchor={menuButton}
          label="Message actions"
          items={items}
          onClose={() => setOpen(null)}
        />
      )}
    </div>
  );
}
