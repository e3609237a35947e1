// Who may come in: the password, and the devices that are signed in.
import { useEffect, useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { PasswordField } from '../components/field';
import { Icon } from '../components/icon';
import { Banner, TryAgain } from '../components/small';
import { ago } from '../format';
import type { ParleyError, Session } from '../../sdk/index';
import { notify, orSay } from '../state/notices';
import { problemOf } from '../state/problem';

export function Devices() {
  const [list, setList] = useState<Session[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const load = (): Promise<void> =>
    parley.sessions.list().then(
      (page) => {
        setList(page.items);
        setProblem(null);
      },
      (caught: Error) => setProblem(caught.message),
    );
  useEffect(() => void load(), []);

  async function revoke(session: Session): Promise<void> {
    const done = await orSay(
      'The device is still signed in',
      parley.sessions.revoke(session.id).then(() => true),
    );
    if (done) setList((old) => old?.filter((one) => one.id !== session.id) ?? null);
  }

  return (
    <section class="panel" aria-label="Devices">
      <h2>Devices</h2>
      {problem && <TryAgain retry={load}>{problem}</TryAgain>}
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

export function Password() {
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
      setProblem(problemOf(caught));
    }
    setBusy(false);
  }

  return (
    <section class="panel" aria-label="Password">
      <h2>Password</h2>
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
