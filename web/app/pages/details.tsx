// Who is in the chat and what can be done about it.
import { useRef, useState } from 'preact/hooks';
import { parley } from '../client';
import { Avatar } from '../components/avatar';
import { Button, IconButton } from '../components/button';
import { Confirm, useCover } from '../components/dialog';
import { TextField } from '../components/field';
import { PersonAvatar, PersonWords, userFrom } from '../components/person';
import { Menu, type MenuItem } from '../components/popover';
import { TryAgain } from '../components/small';
import { ago } from '../format';
import type { Chat, Id, Member, MemberRole } from '../../sdk/index';
import { chats, chatTitle, openDirect, putChat, removeChat } from '../state/chats';
import { loadMembers, membersOf, membersProblem } from '../state/members';
import { orSay } from '../state/notices';
import { isOnline, presenceOf } from '../state/presence';
import { navigate } from '../state/route';
import { me } from '../state/session';
import { nameOf } from '../state/users';
import { AddPeople } from './new_chat';

export function Details({ chatId, onClose }: { chatId: Id; onClose(): void }) {
  const chat = chats.value.get(chatId);
  useCover(onClose, matchMedia('(max-width: 720px)').matches);
  if (!chat) return null;
  return (
    <aside class="details" aria-label="Details">
      <div class="bar">
        <h2>{chat.peer_id ? 'Profile' : chat.kind === 'channel' ? 'Channel' : 'Group'}</h2>
        <IconButton icon="close" label="Close details" onClick={onClose} />
      </div>
      {chat.peer_id ? <Profile id={chat.peer_id} /> : <Group chat={chat} />}
    </aside>
  );
}

function Profile({ id }: { id: Id }) {
  const user = userFrom(id);
  if (!user) return null;
  const seen = presenceOf(id)?.last_seen;
  return (
    <div class="scroll">
      <div class="head">
        <PersonAvatar id={id} size="large" />
        <h2 dir="auto">{nameOf(user)}</h2>
        <p>@{user.username}</p>
        <p>{isOnline(id) ? 'Online now' : seen ? `Last seen ${ago(seen)}` : ''}</p>
        {user.bio && (
          <p class="bio" dir="auto">
            {user.bio}
          </p>
        )}
        <a href={`/u/${user.username}`}>View profile</a>
      </div>
    </div>
  );
}

const rank: Record<MemberRole, number> = { owner: 0, admin: 1, member: 2 };

function Group({ chat }: { chat: Chat }) {
  const [renaming, setRenaming] = useState(false);
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const members = membersOf(chat.id).value;
  const problem = membersProblem.value.get(chat.id);
  const managing = chat.my_role !== 'member';
  const kind = chat.kind === 'channel' ? 'channel' : 'group';
  const sorted = [...(members ?? [])].sort(
    (a, b) =>
      rank[a.role] - rank[b.role] ||
      nameOf(userFrom(a.user_id)).localeCompare(nameOf(userFrom(b.user_id))),
  );

  async function leave(): Promise<void> {
    setLeaving(false);
    const left = await orSay(
      `You are still in the ${kind}`,
      parley.chats.removeMember(chat.id, me.value!.id).then(() => true),
    );
    if (!left) return;
    removeChat(chat.id);
    navigate('/chats', true);
  }

  return (
    <>
      <div class="scroll">
        <div class="head">
          <Avatar id={chat.id} name={chatTitle(chat)} size="large" group />
          {renaming ? (
            <Rename chat={chat} onDone={() => setRenaming(false)} />
          ) : (
            <div class="row-title">
              <h2 dir="auto">{chatTitle(chat)}</h2>
              {managing && (
                <IconButton
                  icon="edit"
                  label={`Rename ${kind}`}
                  small
                  onClick={() => setRenaming(true)}
                />
              )}
            </div>
          )}
          <p>
            {chat.member_count} member{chat.member_count === 1 ? '' : 's'}
          </p>
        </div>
        {(managing || chat.settings.invite === 'members') && (
          <Button wide icon="plus" onClick={() => setAdding(true)}>
            Add people
          </Button>
        )}
        <h3 class="group-title">Members</h3>
        {members === null && problem && (
          <TryAgain retry={() => loadMembers(chat.id)}>
            The members could not be loaded: {problem}
          </TryAgain>
        )}
        <ul aria-busy={members === null && !problem}>
          {sorted.map((member) => (
            <li key={member.user_id}>
              <MemberRow chat={chat} member={member} />
            </li>
          ))}
        </ul>
      </div>
      <div class="foot">
        <Button look="danger" wide icon="leave" onClick={() => setLeaving(true)}>
          Leave {kind}
        </Button>
      </div>
      {adding && (
        <AddPeople
          chatId={chat.id}
          without={sorted.map((one) => one.user_id)}
          onClose={() => {
            setAdding(false);
            void loadMembers(chat.id, true);
          }}
        />
      )}
      {leaving && (
        <Confirm
          title={`Leave ${chatTitle(chat)}?`}
          text="You will no longer see its messages. Someone in it can add you again."
          action={`Leave ${kind}`}
          onClose={() => setLeaving(false)}
          onConfirm={() => void leave()}
        />
      )}
    </>
  );
}

function Rename({ chat, onDone }: { chat: Chat; onDone(): void }) {
  const [title, setTitle] = useState(chat.title ?? '');
  const [busy, setBusy] = useState(false);
  async function save(event: Event): Promise<void> {
    event.preventDefault();
    if (!title.trim()) return;
    setBusy(true);
    const changed = await orSay(
      'The name was not changed',
      parley.chats.update(chat.id, { title: title.trim() }),
    );
    setBusy(false);
    if (!changed) return;
    putChat(changed);
    onDone();
  }
  return (
    <form onSubmit={(event) => void save(event)}>
      <TextField label="Group name" value={title} maxLength={100} autofocus onText={setTitle} />
      <div class="row">
        <Button small wide onClick={onDone}>
          Cancel
        </Button>
        <Button small wide look="primary" type="submit" busy={busy}>
          Save
        </Button>
      </div>
    </form>
  );
}

function MemberRow({ chat, member }: { chat: Chat; member: Member }) {
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLSpanElement>(null);
  const user = userFrom(member.user_id);
  if (!user) return <div class="person" />;
  const own = user.id === me.value?.id;
  const items = own ? [] : memberActions(chat, member);
  return (
    <div class="person">
      <PersonWords user={user} note={own ? 'You' : `@${user.username}`} />
      {member.role !== 'member' && <span class="tag">{member.role}</span>}
      {items.length > 0 && (
        <span ref={anchor}>
          <IconButton
            icon="more"
            label={`Actions for ${nameOf(user)}`}
            small
            aria-expanded={open}
            onClick={() => setOpen(true)}
          />
        </span>
      )}
      {open && (
        <Menu
          anchor={anchor}
          label={`Actions for ${nameOf(user)}`}
          items={items}
          onClose={() => setOpen(false)}
        />
      )}
    </div>
  );
}

function memberActions(chat: Chat, member: Member): MenuItem[] {
  const reload = (): void => void loadMembers(chat.id, true);
  const setRole = (role: MemberRole) => (): void =>
    void orSay(
      'The role was not changed',
      parley.chats.setRole(chat.id, member.user_id, role),
    ).then(reload);
  const items: MenuItem[] = [
    {
      icon: 'chat',
      label: 'Message',
      act: () =>
        void orSay('The chat could not be opened', openDirect(member.user_id)).then(
          (direct) => direct && navigate(`/c/${direct.id}`),
        ),
    },
  ];
  if (chat.my_role === 'owner')
    items.push(
      member.role === 'admin'
        ? { icon: 'group', label: 'Make member', act: setRole('member') }
        : { icon: 'group', label: 'Make admin', act: setRole('admin') },
    );
  const lower = rank[chat.my_role] < rank[member.role];
  if (lower)
    items.push({
      icon: 'leave',
      label: 'Remove from group',
      danger: true,
      act: () =>
        void orSay('Nobody was removed', parley.chats.removeMember(chat.id, member.user_id)).then(
          reload,
        ),
    });
  return items;
}
