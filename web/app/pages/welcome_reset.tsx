// A forgotten password: whose it is, then the code that came and a new one.
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { PasswordField, TextField } from '../components/field';
import { Banner } from '../components/small';
import type { ParleyError } from '../../sdk/index';
import { notify } from '../state/notices';
import { problemOf } from '../state/problem';

export function Forgotten({ onDone }: { onDone(): void }) {
  const [login, setLogin] = useState('');
  const [sent, setSent] = useState(false);
  return sent ? (
    <NewPassword login={login.trim()} onDone={onDone} onAgain={() => setSent(false)} />
  ) : (
    <WhoseIsIt login={login} onLogin={setLogin} onSent={() => setSent(true)} />
  );
}

function WhoseIsIt({
  login,
  onLogin,
  onSent,
}: {
  login: string;
  onLogin(text: string): void;
  onSent(): void;
}) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);

  async function ask(event: Event): Promise<void> {
    event.preventDefault();
    if (busy || !login.trim()) return;
    setBusy(true);
    setProblem(null);
    try {
      await parley.account.forgotPassword(login.trim());
      onSent();
    } catch (caught) {
      setProblem(problemOf(caught));
    }
    setBusy(false);
  }

  return (
    <>
      <header>
        <h2>Forgotten your password?</h2>
        <p class="lead">Say who you are, and a code comes to your confirmed address.</p>
      </header>
      <form onSubmit={(event) => void ask(event)} noValidate>
        {problem && !problem.field('login') && <Banner kind="problem">{problem.message}</Banner>}
        <TextField
          label="User name, e-mail or phone"
          name="login"
          autocomplete="username"
          autocapitalize="off"
          autofocus
          value={login}
          wrong={problem?.field('login')}
          onText={onLogin}
        />
        <Button type="submit" look="primary" wide busy={busy} disabled={!login.trim()}>
          Send a code
        </Button>
      </form>
    </>
  );
}

function NewPassword({
  login,
  onDone,
  onAgain,
}: {
  login: string;
  onDone(): void;
  onAgain(): void;
}) {
  const [code, setCode] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);
  const wrongCode =
    problem?.field('code') ?? (problem?.code === 'invalid_code' ? problem.message : undefined);
  const wrongPassword = problem?.field('new_password');

  async function reset(event: Event): Promise<void> {
    event.preventDefault();
    if (busy || !code.trim() || password.length < 8) return;
    setBusy(true);
    setProblem(null);
    try {
      await parley.account.resetPassword(login, code.trim(), password);
      notify('Your password is changed. Sign in with the new one.');
      onDone();
    } catch (caught) {
      setProblem(problemOf(caught));
      setBusy(false);
    }
  }

  return (
    <>
      <header>
        <h2>Choose a new password</h2>
        <p class="lead">
          If <b>{login}</b> has an account with a confirmed address, a code is on its way there.
        </p>
      </header>
      <form onSubmit={(event) => void reset(event)} noValidate>
        {problem && !wrongCode && !wrongPassword && (
          <Banner kind="problem">{problem.message}</Banner>
        )}
        <TextField
          label="Code"
          name="code"
          autocomplete="one-time-code"
          autofocus
          wrong={wrongCode}
          onText={setCode}
        />
        <PasswordField
          label="New password"
          name="new_password"
          autocomplete="new-password"
          hint="At least 8 characters."
          wrong={wrongPassword}
          onText={setPassword}
        />
        <Button
          type="submit"
          look="primary"
          wide
          busy={busy}
          disabled={!code.trim() || password.length < 8}
        >
          Change password
        </Button>
        <Button look="plain" wide onClick={onAgain}>
          No code has come
        </Button>
      </form>
    </>
  );
}
