// One's e-mail address and phone number, and the codes that show that they are one's own.
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { TextField } from '../components/field';
import { Icon } from '../components/icon';
import { Banner } from '../components/small';
import { ParleyError, type VerifyChannel } from '../../sdk/index';
import { notify } from '../state/notices';
import { problemOf } from '../state/problem';
import { me } from '../state/session';

export function Addresses() {
  const user = me.value!;
  const none = !user.email && !user.phone;
  return (
    <section class="panel" aria-label="Addresses">
      <h2>Addresses</h2>
      <p class="quiet">
        {none
          ? 'You gave neither an e-mail address nor a phone number. Without one a forgotten password cannot be replaced.'
          : 'A confirmed address is where a code goes when you have forgotten your password.'}
      </p>
      {user.email && <Address channel="email" value={user.email} />}
      {user.phone && <Address channel="phone" value={user.phone} />}
    </section>
  );
}

function Address({ channel, value }: { channel: VerifyChannel; value: string }) {
  // The server says that one of them is confirmed, not which: with both, it has to be asked.
  const user = me.value!;
  const sure = user.is_verified && !(user.email && user.phone);
  const [step, setStep] = useState<'idle' | 'sent' | 'done'>(sure ? 'done' : 'idle');
  const [code, setCode] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);

  async function attempt(action: () => Promise<unknown>, next: typeof step): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      await action();
      setStep(next);
      if (next === 'done') {
        notify('Confirmed.');
        me.value = await parley.users.me();
      }
    } catch (caught) {
      const known = problemOf(caught);
      if (known.code === 'already_verified') setStep('done');
      else setProblem(known);
    }
    setBusy(false);
  }

  const wrong =
    problem?.field('code') ?? (problem?.code === 'invalid_code' ? problem.message : undefined);
  return (
    <div class="address">
      <div class="person plain">
        <Icon name={channel === 'email' ? 'at' : 'phone'} />
        <span class="words">
          <span class="name">{value}</span>
          <span class="note">
            {step === 'done'
              ? 'Confirmed'
              : step === 'sent'
                ? 'A code is on its way'
                : channel === 'email'
                  ? 'E-mail'
                  : 'Phone'}
          </span>
        </span>
        {step === 'idle' && (
          <Button
            small
            busy={busy}
            onClick={() => void attempt(() => parley.account.sendCode(channel), 'sent')}
          >
            Confirm
          </Button>
        )}
      </div>
      {problem && !wrong && <Banner kind="problem">{problem.message}</Banner>}
      {step === 'sent' && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void attempt(() => parley.account.verify(channel, code.trim()), 'done');
          }}
        >
          <TextField
            label="Code"
            autocomplete="one-time-code"
            autofocus
            value={code}
            wrong={wrong}
            onText={setCode}
          />
          <div class="strip">
            <Button type="submit" look="primary" busy={busy} disabled={!code.trim()}>
              Confirm
            </Button>
            <Button
              look="plain"
              onClick={() => void attempt(() => parley.account.sendCode(channel), 'sent')}
            >
              Send another code
            </Button>
          </div>
        </form>
      )}
    </div>
  );
}
