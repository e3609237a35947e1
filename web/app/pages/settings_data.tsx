// One's own data: take it along, leave for a while, leave for good.
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { Dialog } from '../components/dialog';
import { PasswordField } from '../components/field';
import { Banner } from '../components/small';
import type { ParleyError } from '../../sdk/index';
import { orSay } from '../state/notices';
import { problemOf } from '../state/problem';
import { leaveAccount, me } from '../state/session';

export function Data() {
  const [busy, setBusy] = useState(false);
  const [leaving, setLeaving] = useState<Way | null>(null);

  async function save(): Promise<void> {
    setBusy(true);
    const text = await orSay('Your data could not be put together', parley.users.exportAll());
    setBusy(false);
    if (text === undefined) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    link.download = `parley-${me.peek()!.username}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  return (
    <section class="panel" aria-label="Your data">
      <h2>Your data</h2>
      <p class="quiet">Everything this server keeps about you, in one file.</p>
      <div>
        <Button icon="download" busy={busy} onClick={() => void save()}>
          Download my data
        </Button>
      </div>
      <h3>Leave</h3>
      <p class="quiet">
        A deactivated account is hidden from everybody until you sign in again. A deleted one is
        gone, with everything you published.
      </p>
      <div class="strip">
        <Button onClick={() => setLeaving('deactivate')}>Deactivate account</Button>
        <Button look="danger" icon="trash" onClick={() => setLeaving('delete')}>
          Delete account
        </Button>
      </div>
      {leaving && <Leave way={leaving} onClose={() => setLeaving(null)} />}
    </section>
  );
}

type Way = 'deactivate' | 'delete';
const ways = {
  deactivate: {
    title: 'Deactivate your account?',
    text: 'Nobody sees you or what you published until you sign in again. All your devices are signed out.',
    action: 'Deactivate',
    after: 'Your account is deactivated. Sign in to bring it back.',
  },
  delete: {
    title: 'Delete your account?',
    text: 'Your profile, posts, comments, stories and answers are erased. This cannot be undone.',
    action: 'Delete for good',
    after: 'Your account is deleted.',
  },
};

function Leave({ way, onClose }: { way: Way; onClose(): void }) {
  const words = ways[way];
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);

  async function leave(event: Event): Promise<void> {
    event.preventDefault();
    if (busy || !password) return;
    setBusy(true);
    setProblem(null);
    try {
      await parley.users[way](password);
      await leaveAccount(words.after);
    } catch (caught) {
      setProblem(problemOf(caught));
      setBusy(false);
    }
  }

  const wrong =
    problem?.field('password') ??
    (problem?.code === 'wrong_password' ? problem.message : undefined);
  return (
    <Dialog
      title={words.title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="danger"
            busy={busy}
            disabled={!password}
            onClick={(event) => void leave(event)}
          >
            {words.action}
          </Button>
        </>
      }
    >
      <p>{words.text}</p>
      {problem && !wrong && <Banner kind="problem">{problem.message}</Banner>}
      <form onSubmit={(event) => void leave(event)}>
        <PasswordField
          label="Your password"
          autocomplete="current-password"
          autofocus
          wrong={wrong}
          onText={setPassword}
        />
      </form>
    </Dialog>
  );
}
