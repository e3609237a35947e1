// Sign in or sign up.
import { useRef, useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { PasswordField, TextField } from '../components/field';
import { Icon, Mark } from '../components/icon';
import { Banner } from '../components/small';
import { ParleyError } from '../../sdk/index';
import { Forgotten } from './welcome_reset';
import { endedNote, enter, signInPatiently } from '../state/session';

type Doing = 'in' | 'up' | 'forgotten';

export function Welcome() {
  const [doing, setDoing] = useState<Doing>(
    location.pathname === '/signup' ? 'up' : location.pathname === '/forgot' ? 'forgotten' : 'in',
  );
  const joining = doing === 'up';
  return (
    <div class="welcome">
      <Story />
      <main>
        <div class="entry">
          <div class="brand alone">
            <Mark /> Parley
          </div>
          {endedNote.value && <Banner kind="warn">{endedNote.value}</Banner>}
          {doing === 'up' && <SignUp key="up" />}
          {doing === 'in' && <SignIn key="in" onForgotten={() => setDoing('forgotten')} />}
          {doing === 'forgotten' && <Forgotten onDone={() => setDoing('in')} />}
          <p class="swap">
            {joining ? 'Already have an account?' : doing === 'in' ? 'New here?' : 'Remembered?'}{' '}
            <Button look="plain" onClick={() => setDoing(doing === 'in' ? 'up' : 'in')}>
              {doing === 'in' ? 'Create an account' : 'Sign in'}
            </Button>
          </p>
        </div>
      </main>
    </div>
  );
}

function Story() {
  return (
    <aside class="story">
      <div class="brand">
        <Mark /> Parley
      </div>
      <div>
        <h1>Conversations that stay yours.</h1>
        <p>
          Chats, posts, stories and events on a server you run yourself. Everything arrives once, in
          order, and nothing is lost when the connection is.
        </p>
      </div>
      <div class="samples" aria-hidden="true">
        <span class="sample">The train has no signal for an hour…</span>
        <span class="sample own">Then write anyway. It goes out when you are back. 👍</span>
      </div>
      <ul class="facts">
        <li>
          <Icon name="server" size={16} /> Your own server
        </li>
        <li>
          <Icon name="bolt" size={16} /> Live everywhere
        </li>
        <li>
          <Icon name="lock" size={16} /> No trackers
        </li>
      </ul>
    </aside>
  );
}

/** Errors by field, and the one that belongs to none. */
function split(problem: unknown, fields: string[]): Record<string, string> {
  const wrong: Record<string, string> = {};
  if (!(problem instanceof ParleyError)) return { all: 'Something went wrong. Please try again.' };
  for (const entry of problem.fields)
    if (fields.includes(entry.field)) wrong[entry.field] = entry.detail;
  if (Object.keys(wrong).length === 0) wrong.all = problem.message;
  return wrong;
}

function focusFirstWrong(form: HTMLFormElement | null): void {
  requestAnimationFrame(() => form?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus());
}

function SignIn({ onForgotten }: { onForgotten(): void }) {
  const form = useRef<HTMLFormElement>(null);
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Record<string, string>>({});

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const missing: Record<string, string> = {};
    if (!login.trim()) missing.login = 'Enter your user name, e-mail or phone number.';
    if (!password) missing.password = 'Enter your password.';
    setWrong(missing);
    if (Object.keys(missing).length) return focusFirstWrong(form.current);
    setBusy(true);
    try {
      await signInPatiently(login.trim(), password);
    } catch (problem) {
      setWrong(split(problem, ['login', 'password']));
      setBusy(false);
      focusFirstWrong(form.current);
    }
  }

  return (
    <>
      <header>
        <h2>Welcome back</h2>
        <p class="lead">Sign in to go on where you were.</p>
      </header>
      <form ref={form} onSubmit={(event) => void submit(event)} noValidate>
        {wrong.all && <Banner kind="problem">{wrong.all}</Banner>}
        <TextField
          label="User name, e-mail or phone"
          name="login"
          autocomplete="username"
          autocapitalize="off"
          autofocus
          wrong={wrong.login}
          onText={setLogin}
        />
        <PasswordField
          label="Password"
          name="password"
          autocomplete="current-password"
          wrong={wrong.password}
          onText={setPassword}
        />
        <Button type="submit" look="primary" wide busy={busy}>
          Sign in
        </Button>
        <Button look="plain" wide onClick={onForgotten}>
          Forgotten your password?
        </Button>
      </form>
    </>
  );
}

function SignUp() {
  const form = useRef<HTMLFormElement>(null);
  const [fields, setFields] = useState({ full_name: '', username: '', email: '', password: '' });
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const set =
    (name: keyof typeof fields) =>
    (text: string): void =>
      setFields((old) => ({ ...old, [name]: text }));

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const missing: Record<string, string> = {};
    if (!fields.username.trim()) missing.username = 'Choose a user name.';
    if (fields.password.length < 8) missing.password = 'Use at least 8 characters.';
    setWrong(missing);
    if (Object.keys(missing).length) return focusFirstWrong(form.current);
    setBusy(true);
    try {
      const username = fields.username.trim();
      const answer = await parley.signUp({
        username,
        password: fields.password,
        ...(fields.full_name.trim() ? { full_name: fields.full_name.trim() } : {}),
        ...(fields.email.trim() ? { email: fields.email.trim() } : {}),
      });
      if (answer === 'pending') await signInPatiently(username, fields.password);
      else enter(answer);
    } catch (problem) {
      setWrong(split(problem, Object.keys(fields)));
      setBusy(false);
      focusFirstWrong(form.current);
    }
  }

  return (
    <>
      <header>
        <h2>Create your account</h2>
        <p class="lead">It takes a minute, and nothing but a name and a password.</p>
      </header>
      <form ref={form} onSubmit={(event) => void submit(event)} noValidate>
        {wrong.all && <Banner kind="problem">{wrong.all}</Banner>}
        <TextField
          label="Full name"
          name="full_name"
          optional
          autocomplete="name"
          autofocus
          wrong={wrong.full_name}
          onText={set('full_name')}
        />
        <TextField
          label="User name"
          name="username"
          autocomplete="username"
          autocapitalize="off"
          spellcheck={false}
          hint="Letters, digits, dots and underscores; at least 3."
          wrong={wrong.username}
          onText={set('username')}
        />
        <TextField
          label="E-mail"
          name="email"
          type="email"
          optional
          autocomplete="email"
          wrong={wrong.email}
          onText={set('email')}
        />
        <PasswordField
          label="Password"
          name="password"
          autocomplete="new-password"
          hint="At least 8 characters."
          wrong={wrong.password}
          onText={set('password')}
        />
        <Button type="submit" look="primary" wide busy={busy}>
          Create account
        </Button>
      </form>
    </>
  );
}
