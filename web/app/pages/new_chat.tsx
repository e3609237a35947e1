// Choose one person for a direct chat, or several and a title for a group; also used for adding
// people to a group that exists.
import { useSignal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { Dialog } from '../components/dialog';
import { SearchField, Segments, TextField } from '../components/field';
import { Icon } from '../components/icon';
import { PersonWords } from '../components/person';
import type { Id, User } from '../../sdk/index';
import { chatOrder, openDirect, putChat } from '../state/chats';
import { usePeople } from '../state/find_people';
import { orSay } from '../state/notices';
import { navigate } from '../state/route';
import { me } from '../state/session';
import { nameOf, userSignal } from '../state/users';

export function NewChat({ onClose }: { onClose(): void }) {
  const [kind, setKind] = useState<'direct' | 'group'>('direct');
  const chosen = useSignal<readonly User[]>([]);
  const [title, setTitle] = useState('');
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();

  async function open(what: Promise<{ id: Id }>): Promise<void> {
    setBusy(true);
    const chat = await orSay('The chat could not be opened', what);
    setBusy(false);
    if (!chat) return;
    onClose();
    navigate(`/c/${chat.id}`);
  }

  function createGroup(): void {
    if (!title.trim()) return setWrong('Give the group a name.');
    void open(
      parley.chats
        .create({
          kind: 'group',
          title: title.trim(),
          member_ids: chosen.value.map((one) => one.id),
        })
        .then((chat) => {
          putChat(chat);
          return chat;
        }),
    );
  }

  const group = kind === 'group';
  return (
    <Dialog
      title="New chat"
      unsaved={group && title.trim() !== ''}
      onClose={onClose}
      footer={
        group && (
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button look="primary" busy={busy} onClick={createGroup}>
              {chosen.value.length ? `Create with ${chosen.value.length}` : 'Create group'}
            </Button>
          </>
        )
      }
    >
      <Segments
        label="Kind of chat"
        name="kind"
        value={kind}
        choices={[
          { value: 'direct', label: 'Direct' },
          { value: 'group', label: 'Group' },
        ]}
        onChoose={(next) => setKind(next as typeof kind)}
      />
      {group && (
        <TextField
          label="Group name"
          name="title"
          wrong={wrong}
          maxLength={100}
          onText={(next) => {
            setTitle(next);
            setWrong(undefined);
          }}
        />
      )}
      <PeoplePicker
        many={group}
        chosen={chosen.value}
        without={[]}
        onPick={(user) => {
          if (!group) return void open(openDirect(user.id));
          chosen.value = toggled(chosen.value, user);
        }}
      />
    </Dialog>
  );
}

export function AddPeople({
  chatId,
  without,
  onClose,
}: {
  chatId: Id;
  without: Id[];
  onClose(): void;
}) {
  const chosen = useSignal<readonly User[]>([]);
  const [busy, setBusy] = useState(false);
  // As of the opening: who is being added must not vanish from the list before it closes.
  const [hidden] = useState(without);
  async function add(): Promise<void> {
    setBusy(true);
    const done = await orSay(
      'Nobody was added',
      parley.chats
        .addMembers(
          chatId,
          chosen.value.map((one) => one.id),
        )
        .then(() => true),
    );
    setBusy(false);
    if (done) onClose();
  }
  return (
    <Dialog
      title="Add people"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            busy={busy}
            disabled={chosen.value.length === 0}
            onClick={() => void add()}
          >
            Add {chosen.value.length || ''}
          </Button>
        </>
      }
    >
      <PeoplePicker
        many
        chosen={chosen.value}
        without={hidden}
        onPick={(user) => (chosen.value = toggled(chosen.value, user))}
      />
    </Dialog>
  );
}

const toggled = (list: readonly User[], user: User): readonly User[] =>
  list.some((one) => one.id === user.id)
    ? list.filter((one) => one.id !== user.id)
    : [...list, user];

function PeoplePicker({
  many,
  chosen,
  without,
  onPick,
}: {
  many: boolean;
  chosen: readonly User[];
  without: Id[];
  onPick(user: User): void;
}) {
  const [text, setText] = useState('');
  const found = usePeople(text);
  const hidden = new Set([me.value?.id, ...without]);
  const list = (text.trim() ? found.list : [...chosen, ...acquaintances(chosen)]).filter(
    (user) => !hidden.has(user.id),
  );
  return (
    <div class="picker">
      <SearchField label="Find people" value={text} autofocus onText={setText} />
      <ul aria-label="People" aria-busy={found.busy}>
        {list.map((user) => {
          const picked = chosen.some((one) => one.id === user.id);
          return (
            <li key={user.id}>
              <button
                type="button"
                class={`person${picked ? ' active' : ''}`}
                aria-pressed={many ? picked : undefined}
                onClick={() => onPick(user)}
              >
                <PersonWords user={user}>
                  {many && (
                    <span class={`tick${picked ? ' on' : ''}`}>
                      <Icon name="check" size={15} />
                    </span>
                  )}
                </PersonWords>
              </button>
            </li>
          );
        })}
      </ul>
      {list.length === 0 && (
        <p class="none" role="status">
          {!text.trim()
            ? 'Type a name to find people.'
            : found.busy
              ? 'Searching…'
              : `Nobody found for “${text.trim()}”.`}
        </p>
      )}
    </div>
  );
}

/** People one talks to already, newest first: often the ones that are looked for. */
function acquaintances(chosen: readonly User[]): User[] {
  const taken = new Set(chosen.map((one) => one.id));
  return chatOrder.value
    .map((chat) => (chat.peer_id ? userSignal(chat.peer_id).value : null))
    .filter((user): user is User => user !== null && !taken.has(user.id) && nameOf(user) !== '…')
    .slice(0, 8);
}
