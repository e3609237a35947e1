// One's own profile, devices, password and the look of the client.
import { useEffect, useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { Page } from '../components/page';
import { PasswordField, Segments, TextArea, TextField } from '../components/field';
import { Icon } from '../components/icon';
import { PersonAvatar } from '../components/person';
import { Banner } from '../components/small';
import { ago } from '../format';
import { ParleyError, type Session } from '../../sdk/index';
import { notify, orSay } from '../state/notices';
import { me, signOut } from '../state/session';
import { setTheme, theme } from '../state/theme';
import { learn } from '../state/users';

export default function Settings() {
  return (
    <Page
      title="Settings"
      actions={
        <Button small icon="leave" onClick={() => void signOut()}>
          Sign out
        </Button>
      }
    >
      <Profile />
      <section aria-label="Appearance">
        <h3>Appearance</h3>
        <Segments
          label="Theme"
          name="theme"
          value={theme.value}
          choices={[
            { value: 'system', label: 'System' },
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' },
          ]}
          onChoose={setTheme}
        />
      </section>
      <Devices />
      <Password />
    </Page>
  );
}

function Profile() {
  const user = me.value!;
  const [name, setName] = useState(user.full_name ?? '');
  const [bio, setBio] = useState(user.bio ?? '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);
  const changed = name !== (user.full_name ?? '') || bio !== (user.bio ?? '');

  async function save(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const saved = await parley.users.update({
        full_name: name.trim() || null,
        bio: bio.trim() || null,
      });
      me.value = saved;
      learn(saved);
      setName(saved.full_name ?? '');
      setBio(saved.bio ?? '');
      notify('Profile saved.');
    } catch (caught) {
      setProblem(caught as ParleyError);
    }
    setBusy(false);
  }

  return (
    <section aria-label="Profile">
      <div class="person plain">
        <PersonAvatar id={user.id} size="normal" />
        <span class="words">
          <span class="name">{user.full_name || user.username}</span>
          <span class="note">
            @{user.username}
            {user.email ? ` · ${user.email}` : ''}
          </span>
        </span>
      </div>
      <form onSubmit={(event) => void save(event)}>
        {problem && problem.fields.length === 0 && (
          <Banner kind="problem">{problem.message}</Banner>
        )}
        <TextField
          label="Full name"
          value={name}
          maxLength={100}
          autocomplete="name"
          wrong={problem?.field('full_name')}
          onText={setName}
        />
        <TextArea
          label="About you"
          value={bio}
          maxLength={500}
          wrong={problem?.field('bio')}
          onText={setBio}
        />
        <Button look="primary" type="submit" busy={busy} disabled={!changed}>
          Save profile
        </Button>
      </form>
    </section>
  );
}

function Devices() {
  const [list, setList] = useState<Session[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    parley.sessions.list().then(
      (page) => setList(page.items),
      (caught: Error) => setProblem(caught.message),
    );
  }, []);

  async function revoke(session: Session): Promise<void> {
    const done = await orSay(
      'The device is still signed in',
      parley.sessions.revoke(session.id).then(() => true),
    );
    if (done) setList((old) => old?.filter((one) => one.id !== session.id) ?? null);
  }

  return (
    <section aria-label="Devices">
      <h3>Devices</h3>
      {problem && <Banner kind="problem">{problem}</Banner>}
      <ul class="devices" aria-busy={list === null && !problem}>
        {list === null && !problem && (
          <li class="person">
            <span class="skeleton bone" />
          </li>
        )}
        {list?.map((session) => (
          <li class="person" key={session.id}>
            <Icon name="lock" />
            <span class="words">
              <span class="name">{session.device_name || 'Unnamed device'}</span>
              <span class="note">
                {session.current ? 'This device' : `Last used ${ago(session.last_used_at)}`}
              </span>
            </span>
            {!session.current && (
              <Button
                small
                onClick={() => void revoke(session)}
                aria-label={`Sign out ${session.device_name || 'unnamed device'}`}
              >
                Sign out
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Password() {
  const [open, setOpen] = useState(false);
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);

  async function save(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await parley.users.changePassword(current, next);
      setOpen(false);
      notify('Password changed.');
    } catch (caught) {
      setProblem(caught as ParleyError);
    }
    setBusy(false);
  }

  return (
    <section aria-label="Password">
      <h3>Password</h3>
      {!open && <Button onClick={() => setOpen(true)}>Change password</Button>}
      {open && (
        <form onSubmit={(event) => void save(event)}>
          {problem && problem.fields.length === 0 && (
            <Banner kind="problem">{problem.message}</Banner>
          )}
          <PasswordField
            label="Current password"
            autocomplete="current-password"
            autofocus
            wrong={problem?.field('current_password')}
            onText={setCurrent}
          />
          <PasswordField
            label="New password"
            autocomplete="new-password"
            hint="At least 8 characters."
            wrong={problem?.field('new_password')}
            onText={setNext}
          />
          <Button look="primary" type="submit" busy={busy} disabled={!current || next.length < 8}>
            Change password
          </Button>
        </form>
      )}
    </section>
  );
}
