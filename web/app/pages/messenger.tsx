// The chats: list, conversation, details, and the keys that go through them.
import { useEffect, useState } from 'preact/hooks';
import { Empty } from '../components/small';
import { chatOrder, chats, chatsLoaded, fetchChat } from '../state/chats';
import { notify } from '../state/notices';
import { navigate, openChatId } from '../state/route';
import { ConversationPage } from './conversation';
import { Details } from './details';
import { NewChat } from './new_chat';
import { Sidebar } from './sidebar';

export default function Messenger() {
  const [composing, setComposing] = useState(false);
  const [details, setDetails] = useState(false);
  const chatId = openChatId.value;
  const shown = chatId !== null && details;
  useKeys(() => setDetails(false));
  useChatThatExists(chatId);
  const names = ['messenger', chatId && 'has-chat', shown && 'with-details'];
  return (
    <div class={names.filter(Boolean).join(' ')}>
      <Sidebar onCompose={() => setComposing(true)} />
      {chatId ? (
        <ConversationPage
          key={chatId}
          chatId={chatId}
          detailsOpen={details}
          onDetails={() => setDetails(!details)}
        />
      ) : (
        <main class="conversation">
          <Empty icon="chat" title="Pick up where you left off">
            <p>
              Choose a chat on the left, or press <kbd>Ctrl K</kbd> to find someone.
            </p>
          </Empty>
        </main>
      )}
      {shown && <Details key={chatId} chatId={chatId} onClose={() => setDetails(false)} />}
      {composing && <NewChat onClose={() => setComposing(false)} />}
    </div>
  );
}

/** An address may name a chat that is not on the list (yet), or not ours at all. */
function useChatThatExists(chatId: string | null): void {
  const missing = chatId !== null && chatsLoaded.value && !chats.value.has(chatId);
  useEffect(() => {
    if (!missing) return;
    void fetchChat(chatId!).then((chat) => {
      if (chat || openChatId.peek() !== chatId) return;
      notify('That chat is not there, or not yours to see.');
      navigate('/chats', true);
    });
  }, [missing, chatId]);
}

function useKeys(closeDetails: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (document.querySelector('dialog[open]')) return;
      if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
        event.preventDefault();
        step(event.key === 'ArrowDown' ? 1 : -1);
      } else if (event.key === 'Escape' && !event.defaultPrevented) {
        escape(closeDetails);
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

/** Out of whatever one is in: details, search, then back to the composer. */
function escape(closeDetails: () => void): void {
  if (document.querySelector('.details')) return closeDetails();
  document.querySelector<HTMLElement>('.composer textarea')?.focus();
}

function step(by: number): void {
  const list = chatOrder.peek();
  const now = list.findIndex((chat) => chat.id === openChatId.peek());
  const next = list[now < 0 ? 0 : (now + by + list.length) % list.length];
  if (next) navigate(`/c/${next.id}`);
}
