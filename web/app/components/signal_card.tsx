// One trade signal with its prices, where it stands, and what this person may do about it.
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { ago, fullTime } from '../format';
import type { TradeSignal, TradeSignalStatus, TradeSignalStep } from '../../sdk/index';
import { orSay } from '../state/notices';
import { me } from '../state/session';
import { dropSignal, putSignal } from '../state/signals';
import { userName } from '../state/users';
import { Button, IconButton } from './button';
import { Confirm, Dialog } from './dialog';
import { TextArea } from './field';
import { MessageText } from './message_text';

const words: Record<TradeSignalStatus, string> = {
  pending: 'Waiting for approval',
  approved: 'Approved',
  rejected: 'Rejected',
  closed: 'Closed',
};

type Opened = 'history' | 'delete' | 'reject' | 'close' | null;

export function SignalCard({ signal, onEdit }: { signal: TradeSignal; onEdit?(): void }) {
  const [open, setOpen] = useState<Opened>(null);
  const close = (): void => setOpen(null);
  const mine = signal.user_id === me.value?.id;
  return (
    <article class="signal" aria-label={`${signal.side} ${signal.symbol}`}>
      <header>
        <span class={`side ${signal.side}`}>{signal.side}</span>
        <h3>{signal.symbol}</h3>
        <span class="soft" title={fullTime(signal.created_at)}>
          {mine ? 'you' : userName(signal.user_id)} · {ago(signal.created_at)}
        </span>
        <span class={`tag ${signal.status}`}>{words[signal.status]}</span>
      </header>
      <dl class="prices">
        <Price name="Entry" value={signal.entry_price} />
        <Price name="Stop loss" value={signal.stop_loss} />
        <Price name="Take profit" value={signal.take_profit} />
      </dl>
      {signal.note && (
        <p class="prose">
          <MessageText text={signal.note} />
        </p>
      )}
      <footer>
        <span class="soft">{signal.reason && `Reason: ${signal.reason}`}</span>
        <Decisions signal={signal} open={setOpen} />
        {(mine || me.value?.role === 'admin') && (
          <IconButton icon="history" label="History" small onClick={() => setOpen('history')} />
        )}
        {mine && onEdit && <IconButton icon="edit" label="Change" small onClick={onEdit} />}
        {mine && <IconButton icon="trash" label="Delete" small onClick={() => setOpen('delete')} />}
      </footer>
      {open === 'history' && <History signal={signal} onClose={close} />}
      {open === 'delete' && <Delete signal={signal} onClose={close} />}
      {open === 'reject' && <Decide signal={signal} status="rejected" onClose={close} />}
      {open === 'close' && <Decide signal={signal} status="closed" onClose={close} />}
    </article>
  );
}

function Price({ name, value }: { name: string; value: string | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value ?? '–'}</dd>
    </div>
  );
}

function Decisions({ signal, open }: { signal: TradeSignal; open(what: Opened): void }) {
  const [busy, setBusy] = useState(false);
  if (me.value?.role !== 'admin') return null;

  async function approve(): Promise<void> {
    setBusy(true);
    const decided = await orSay(
      'The signal could not be approved',
      parley.admin.decideSignal(signal.id, { status: 'approved' }),
    );
    if (decided) putSignal(decided);
    setBusy(false);
  }

  if (signal.status === 'pending')
    return (
      <>
        <Button small look="primary" icon="check" busy={busy} onClick={() => void approve()}>
          Approve
        </Button>
        <Button small look="danger" onClick={() => open('reject')}>
          Reject
        </Button>
      </>
    );
  return signal.status === 'approved' ? (
    <Button small onClick={() => open('close')}>
      Close
    </Button>
  ) : null;
}

function Decide({
  signal,
  status,
  onClose,
}: {
  signal: TradeSignal;
  status: 'rejected' | 'closed';
  onClose(): void;
}) {
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();

  async function decide(): Promise<void> {
    if (status === 'rejected' && !reason.trim()) return setWrong('Say why: the author sees it.');
    setBusy(true);
    const decided = await orSay(
      'That did not work',
      parley.admin.decideSignal(signal.id, {
        status,
        ...(reason.trim() ? { reason: reason.trim() } : {}),
      }),
    );
    setBusy(false);
    if (!decided) return;
    putSignal(decided);
    onClose();
  }

  const reject = status === 'rejected';
  return (
    <Dialog
      title={reject ? `Reject ${signal.symbol}` : `Close ${signal.symbol}`}
      unsaved={reason.trim() !== ''}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look={reject ? 'danger' : 'primary'} busy={busy} onClick={() => void decide()}>
            {reject ? 'Reject' : 'Close signal'}
          </Button>
        </>
      }
    >
      <TextArea
        label={reject ? 'Reason' : 'Reason (optional)'}
        value={reason}
        maxLength={500}
        wrong={wrong}
        onText={setReason}
      />
    </Dialog>
  );
}

function Delete({ signal, onClose }: { signal: TradeSignal; onClose(): void }) {
  const [busy, setBusy] = useState(false);

  async function remove(): Promise<void> {
    setBusy(true);
    const done = await orSay(
      'The signal could not be deleted',
      parley.signals.delete(signal.id).then(() => true),
    );
    setBusy(false);
    onClose();
    if (done) dropSignal(signal.id);
  }

  return (
    <Confirm
      title={`Delete ${signal.symbol}?`}
      text="It disappears for everybody, with its history."
      action="Delete"
      busy={busy}
      onConfirm={() => void remove()}
      onClose={onClose}
    />
  );
}

function History({ signal, onClose }: { signal: TradeSignal; onClose(): void }) {
  const [steps, setSteps] = useState<TradeSignalStep[] | null>(null);
  if (steps === null)
    void orSay('No history', parley.signals.history(signal.id)).then((page) =>
      page ? setSteps(page.items) : onClose(),
    );
  return (
    <Dialog title={`${signal.symbol}: history`} onClose={onClose}>
      <ol class="steps" aria-busy={steps === null}>
        {(steps ?? []).map((step) => (
          <li key={step.at}>
            <span class={`tag ${step.status}`}>{words[step.status]}</span>
            <span>
              <span class="soft">
                {step.by_user_id ? userName(step.by_user_id) : 'the platform'} · {fullTime(step.at)}
              </span>
              {step.reason && <p>{step.reason}</p>}
            </span>
          </li>
        ))}
      </ol>
    </Dialog>
  );
}
