// Accounts: finding them, their roles, whether they may sign in, and where they are signed in.
import { useEffect, useState } from 'preact/hooks';
import { parley } from '../client';
import { Ago } from '../components/ago';
import { Button } from '../components/button';
import { Confirm, Dialog } from '../components/dialog';
import { SearchField } from '../components/field';
import { PersonLine } from '../components/person_line';
import { Table } from '../components/table';
import type { Session, User, UserRole } from '../../sdk/index';
import { useAdminList } from '../state/admin';
import { notify, orSay } from '../state/notices';
import { me } from '../state/session';
import { learn, nameOf } from '../state/users';

type Filter = 'all' | 'inactive' | UserRole;
const filters: { value: Filter; label: string }[] = [
  { value: 'all', label: 'Everybody' },
  { value: 'moderator', label: 'Moderators' },
  { value: 'admin', label: 'Administrators' },
  { value: 'inactive', label: 'Not active' },
];
const roles: { value: UserRole; label: string }[] = [
  { value: 'user', label: 'User' },
  { value: 'moderator', label: 'Moderator' },
  { value: 'admin', label: 'Administrator' },
];
const TYPING_MS = 200;

function questionOf(text: string, filter: Filter) {
  return {
    ...(text.trim() ? { q: text.trim() } : {}),
    ...(filter === 'inactive' ? { is_active: false } : {}),
    ...(filter === 'moderator' || filter === 'admin' ? { role: filter } : {}),
  };
}

export function AdminUsers() {
  const [typed, setTyped] = useState('');
  const [text, setText] = useState('');
  const [filter, setFilter] = useState<Filter>('all');
  const [sessionsOf, setSessionsOf] = useState<User | null>(null);
  const [disabling, setDisabling] = useState<User | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setText(typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const list = useAdminList<User>(
    'users',
    async (page) => {
      const found = await parley.admin.users({ ...page, ...questionOf(text, filter) });
      found.items.forEach(learn);
      return found;
    },
    (user) => user.id,
    [text, filter],
  );

  async function change(user: User, what: Parameters<typeof parley.admin.updateUser>[1]) {
    const changed = await orSay('That did not work', parley.admin.updateUser(user.id, what));
    if (changed) {
      learn(changed);
      list.update(changed);
      notify(`${nameOf(changed)}: saved.`);
    } else list.update({ ...user }); // the control shows what is true again
  }

  return (
    <>
      <div class="admin-tools">
        <SearchField label="Search people" value={typed} onText={setTyped} />
        <select
          class="input select"
          aria-label="Which people"
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value as Filter)}
        >
          {filters.map((one) => (
            <option key={one.value} value={one.value}>
              {one.label}
            </option>
          ))}
        </select>
      </div>
      <Table
        label="People"
        list={list}
        keyOf={(user) => user.id}
        empty={{ icon: 'user', title: 'Nobody found', text: 'Try another name or filter.' }}
        columns={[
          {
            head: 'Who',
            cell: (user) => <PersonLine id={user.id} note={`@${user.username}`} />,
          },
          { head: 'E-mail', cell: (user) => user.email ?? '–' },
          { head: 'Joined', cell: (user) => user.created_at && <Ago time={user.created_at} /> },
          {
            head: 'Last sign-in',
            cell: (user) => (user.last_login ? <Ago time={user.last_login} /> : 'never'),
          },
          {
            head: 'Role',
            cell: (user) => (
              <select
                class="input select small"
                aria-label={`Role of ${nameOf(user)}`}
                value={user.role}
                disabled={user.id === me.value?.id}
                onChange={(event) =>
                  void change(user, { role: event.currentTarget.value as UserRole })
                }
              >
                {roles.map((one) => (
                  <option key={one.value} value={one.value}>
                    {one.label}
                  </option>
                ))}
              </select>
            ),
          },
          {
            head: 'Deeds',
            deeds: true,
            cell: (user) => (
              <>
                <Button small onClick={() => setSessionsOf(user)}>
                  Sessions
                </Button>
                {user.is_active ? (
                  <Button
                    small
                    look="danger"
                    disabled={user.id === me.value?.id}
                    onClick={() => setDisabling(user)}
                  >
                    Disable
                  </Button>
                ) : (
                  <Button small onClick={() => void change(user, { is_active: true })}>
                    Enable
                  </Button>
                )}
              </>
            ),
          },
        ]}
      />
      {sessionsOf && <Sessions user={sessionsOf} onClose={() => setSessionsOf(null)} />}
      {disabling && (
        <Confirm
          title={`Disable ${nameOf(disabling)}?`}
          text="They are signed out everywhere and cannot sign in until somebody enables them again."
          action="Disable"
          onConfirm={() => {
            void change(disabling, { is_active: false });
            setDisabling(null);
          }}
          onClose={() => setDisabling(null)}
        />
      )}
    </>
  );
}

function Sessions({ user, onClose }: { user: User; onClose(): void }) {
  const [list, setList] = useState<Session[] | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    void orSay('The sessions could not be read', parley.admin.sessions(user.id)).then((page) =>
      page ? setList(page.items) : onClose(),
    );
  }, []);

  async function end(): Promise<void> {
    setBusy(true);
    const done = await orSay(
      'That did not work',
      parley.admin.endSessions(user.id).then(() => true),
    );
    setBusy(false);
    if (!done) return;
    notify(`${nameOf(user)} is signed out everywhere.`);
    onClose();
  }

  return (
    <Dialog
      title={`Where ${nameOf(user)} is signed in`}
      onClose={onClose}
      footer={
        <Button look="danger" busy={busy} disabled={!list?.length} onClick={() => void end()}>
          Sign out everywhere
        </Button>
      }
    >
      <ul class="plain-list" aria-busy={list === null}>
        {(list ?? []).map((session) => (
          <li key={session.id}>
            <b>{session.device_name ?? 'Unnamed device'}</b>
            <span class="soft">
              used <Ago time={session.last_used_at} />, since <Ago time={session.created_at} />
            </span>
          </li>
        ))}
        {list?.length === 0 && <li class="soft">Nowhere.</li>}
      </ul>
    </Dialog>
  );
}
