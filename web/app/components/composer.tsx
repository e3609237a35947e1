// Where messages are written, answered and edited. Enter sends, Shift+Enter breaks the line, the
// up arrow in an empty field edits one's last message, Escape leaves answering or editing.
import { useEffect, useRef, useState } from 'preact/hooks';
import { byteLength } from '../format';
import { chatTitle } from '../state/chats';
import type { Conversation } from '../state/conversation';
import { chatDraft, setDraft } from '../state/drafts';
import { send } from '../state/outgoing';
import { me } from '../state/session';
import { sayTyping, typingDone } from '../state/typing';
import { IconButton } from './button';
import { EmojiPicker } from './emoji_picker';
import { Icon } from './icon';
import { Quote } from './message_row';

const TEXT_MAX_BYTES = 16 * 1024;

export function Composer({ conversation, onSent }: { conversation: Conversation; onSent(): void }) {
  const { chatId, replyTo, editing, text } = conversation;
  const field = useRef<HTMLTextAreaElement>(null);
  const bytes = byteLength(text.value.trim());
  const sendable = bytes > 0 && bytes <= TEXT_MAX_BYTES && !conversation.saving.value;

  useEffect(() => {
    conversation.field = field.current;
    // Not on a phone: there the keyboard would cover what one came to read.
    if (matchMedia('(hover: hover)').matches) field.current!.focus();
  }, []);
  function write(value: string): void {
    text.value = value;
    if (editing.peek()) return;
    setDraft(chatDraft(chatId), value);
    if (value.trim()) sayTyping(chatId);
  }

  function submit(): void {
    const words = text.peek().trim();
    if (!sendable) return;
    const edited = editing.peek();
    if (edited) return void conversation.saveEdit(edited, words);
    send(chatId, words, replyTo.peek());
    conversation.answer(null);
    text.value = '';
    setDraft(chatDraft(chatId), '');
    typingDone();
    onSent();
  }

  function editLast(): boolean {
    const own = conversation.timeline.messages
      .peek()
      .filter((one) => one.sender_id === me.peek()?.id && !one.deleted_at)
      .at(-1);
    if (own) conversation.edit(own);
    return own !== undefined;
  }

  function onKeyDown(event: KeyboardEvent): void {
    // An input method is choosing characters; Safari says so only by the number of the key.
    if (event.isComposing || event.keyCode === 229) return;
    const plain = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      submit();
    } else if (event.key === 'ArrowUp' && plain && text.peek() === '' && editLast()) {
      event.preventDefault();
    } else if (event.key === 'Escape' && (editing.peek() || replyTo.peek())) {
      event.preventDefault();
      event.stopPropagation();
      conversation.leaveContext();
    }
  }

  const chat = conversation.chat.value;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div class="box">
        <Context conversation={conversation} onLeave={() => conversation.leaveContext()} />
        <div class="entry">
          <EmojiButton
            onPick={(emoji) => {
              insert(field.current!, emoji);
              write(field.current!.value);
            }}
          />
          {/* The style sheet lays the same text behind the field, so that it grows with it. */}
          <div class="grow" data-text={text.value}>
            <textarea
              ref={field}
              rows={1}
              dir="auto"
              value={text.value}
              placeholder="Write a message"
              aria-label={chat ? `Message to ${chatTitle(chat)}` : 'Message'}
              onInput={(event) => write(event.currentTarget.value)}
              onKeyDown={onKeyDown}
            />
          </div>
          {bytes > TEXT_MAX_BYTES * 0.9 && (
            <span class={`count${bytes > TEXT_MAX_BYTES ? ' over' : ''}`} role="status">
              {`${TEXT_MAX_BYTES - bytes} left`}
            </span>
          )}
          <button
            type="submit"
            class="icon-button send"
            disabled={!sendable}
            aria-label={editing.value ? 'Save change' : 'Send'}
            title={editing.value ? 'Save change' : 'Send'}
          >
            <Icon name={editing.value ? 'check' : 'send'} />
          </button>
        </div>
      </div>
    </form>
  );
}

function Context({ conversation, onLeave }: { conversation: Conversation; onLeave(): void }) {
  const seq = conversation.editing.value?.seq ?? conversation.replyTo.value;
  if (seq === null) return null;
  const editing = conversation.editing.value !== null;
  return (
    <div class="context">
      <Icon name={editing ? 'edit' : 'reply'} size={18} />
      <span class="visually-hidden">{editing ? 'Editing' : 'Replying to'}</span>
      <Quote seq={seq} conversation={conversation} />
      <IconButton
        icon="close"
        label={editing ? 'Stop editing' : 'Stop replying'}
        small
        onClick={onLeave}
      />
    </div>
  );
}

function EmojiButton({ onPick }: { onPick(emoji: string): void }) {
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLSpanElement>(null);
  return (
    <span ref={anchor}>
      <IconButton
        icon="smile"
        label="Insert emoji"
        aria-expanded={open}
        onClick={() => setOpen(true)}
      />
      {open && (
        <EmojiPicker
          anchor={anchor}
          label="Choose an emoji"
          onPick={onPick}
          onClose={() => setOpen(false)}
        />
      )}
    </span>
  );
}

function insert(field: HTMLTextAreaElement, words: string): void {
  field.focus();
  field.setRangeText(words, field.selectionStart, field.selectionEnd, 'end');
}
