// The board of trade signals: approved ones for everybody, one's own, and for admins the queue.
import { useEffect, useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { Dialog } from '../components/dialog';
import { Segments, TextArea, TextField } from '../components/field';
import { Page } from '../components/page';
import { SignalCard } from '../components/signal_card';
import { Banner, Empty, TryAgain } from '../components/small';
import type { ParleyError, TradeSide, TradeSignal } from '../../sdk/index';
import { useList } from '../state/list';
import { problemOf } from '../state/problem';
import { arrival } from '../state/route';
import { me } from '../state/session';
import { board, putSignal, type Board } from '../state/signals';
import { useWatch } from '../state/watch';

const boards: { value: Board; label: string; title: string; none: string }[] = [
  {
    value: 'approved',
    label: 'Approved',
    title: 'No signals yet',
    none: 'Signals appear here as soon as an administrator has approved them.',
  },
  {
    value: 'mine',
    label: 'Mine',
    title: 'You have posted none',
    none: 'What you post waits for approval before others see it.',
  },
  {
    value: 'decide',
    label: 'To decide',
    title: 'Nothing to decide',
    none: 'New signals appear here at once.',
  },
];

let lastBoard: Board = 'approved';

export default function Signals() {
  const admin = me.value?.role === 'admin';
  const [shown, setShown] = useState<Board>(
    lastBoard === 'decide' && !admin ? 'approved' : lastBoard,
  );
  const [editing, setEditing] = useState<TradeSignal | 'new' | null>(null);
  const list = board(shown);
  const words = boards.find((one) => one.value === shown)!;
  useEffect(() => void (lastBoard = shown), [shown]);
  useList(list, arrival === 'back');
  useWatch('signals', () => void list.reload());
  useWatch(admin ? 'admin' : null, () => void list.reload());
  return (
    <Page
      title="Trade signals"
      busy={!list.loaded.value}
      onNearEnd={() => void list.more()}
      actions={
        <Button small look="primary" icon="plus" onClick={() => setEditing('new')}>
          New signal
        </Button>
      }
      sticky={
        <Segments
          label="Which signals"
          name="board"
          value={shown}
          choices={boards.filter((one) => admin || one.value !== 'decide')}
          onChoose={(next) => setShown(next)}
        />
      }
    >
      {list.problem.value && <TryAgain retry={() => list.retry()}>{list.problem.value}</TryAgain>}
      {!list.loaded.value && !list.problem.value && <Bones />}
      {list.loaded.value && list.items.value.length === 0 && (
        <Empty icon="chart" title={words.title}>
          <p>{words.none}</p>
        </Empty>
      )}
      {list.items.value.map((signal) => (
        <SignalCard
          key={signal.id}
          signal={signal}
          {...(signal.status === 'pending' || signal.status === 'rejected'
            ? { onEdit: () => setEditing(signal) }
            : {})}
        />
      ))}
      {editing && (
        <SignalForm
          {...(editing === 'new' ? {} : { signal: editing })}
          onClose={() => setEditing(null)}
          onSaved={(signal) => {
            putSignal(signal);
            setEditing(null);
            setShown('mine');
          }}
        />
      )}
    </Page>
  );
}

interface Draft {
  symbol: string;
  side: TradeSide;
  entry: string;
  stop: string;
  profit: string;
  note: string;
}

function send(signal: TradeSignal | undefined, draft: Draft): Promise<TradeSignal> {
  const fixed = {
    symbol: draft.symbol.trim().toUpperCase(),
    side: draft.side,
    entry_price: draft.entry.trim(),
  };
  const stop_loss = draft.stop.trim();
  const take_profit = draft.profit.trim();
  const note = draft.note.trim();
  if (signal)
    return parley.signals.update(signal.id, {
      ...fixed,
      stop_loss: stop_loss || null,
      take_profit: take_profit || null,
      note: note || null,
    });
  return parley.signals.create({
    ...fixed,
    ...(stop_loss ? { stop_loss } : {}),
    ...(take_profit ? { take_profit } : {}),
    ...(note ? { note } : {}),
  });
}

/** Prices stay the text that was written: nothing here makes a number of them. */
function SignalForm({
  signal,
  onClose,
  onSaved,
}: {
  signal?: TradeSignal;
  onClose(): void;
  onSaved(signal: TradeSignal): void;
}) {
  const [before] = useState<Draft>({
    symbol: signal?.symbol ?? '',
    side: signal?.side ?? 'buy',
    entry: signal?.entry_price ?? '',
    stop: signal?.stop_loss ?? '',
    profit: signal?.take_profit ?? '',
    note: signal?.note ?? '',
  });
  const [draft, setDraft] = useState(before);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);
  const set = (change: Partial<Draft>): void => setDraft({ ...draft, ...change });

  async function save(event: Event): Promise<void> {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      onSaved(await send(signal, draft));
    } catch (caught) {
      setProblem(problemOf(caught));
      setBusy(false);
    }
  }

  return (
    <Dialog
      title={signal ? 'Change signal' : 'New signal'}
      unsaved={draft !== before}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" form="signal-form" busy={busy}>
            {signal ? 'Save' : 'Send for approval'}
          </Button>
        </>
      }
    >
      <form id="signal-form" class="form-stack" onSubmit={(event) => void save(event)} noValidate>
        {problem && problem.fields.length === 0 && (
          <Banner kind="problem">{problem.message}</Banner>
        )}
        <Segments
          label="Side"
          name="side"
          value={draft.side}
          choices={[
            { value: 'buy', label: 'Buy' },
            { value: 'sell', label: 'Sell' },
          ]}
          onChoose={(side) => set({ side })}
        />
        <div class="two">
          <TextField
            label="Symbol"
            value={draft.symbol}
            maxLength={20}
            autocapitalize="characters"
            spellcheck={false}
            autofocus={!signal}
            hint="Such as BTC/USD"
            wrong={problem?.field('symbol')}
            onText={(symbol) => set({ symbol })}
          />
          <TextField
            label="Entry price"
            inputMode="decimal"
            value={draft.entry}
            wrong={problem?.field('entry_price')}
            onText={(entry) => set({ entry })}
          />
          <TextField
            label="Stop loss"
            optional
            inputMode="decimal"
            value={draft.stop}
            wrong={problem?.field('stop_loss')}
            onText={(stop) => set({ stop })}
          />
          <TextField
            label="Take profit"
            optional
            inputMode="decimal"
            value={draft.profit}
            wrong={problem?.field('take_profit')}
            onText={(profit) => set({ profit })}
          />
        </div>
        <TextArea
          label="Note"
          value={draft.note}
          maxLength={2000}
          wrong={problem?.field('note')}
          onText={(note) => set({ note })}
        />
      </form>
    </Dialog>
  );
}

function Bones() {
  return (
    <div aria-hidden="true">
      {[1, 2, 3].map((index) => (
        <div class="signal" key={index}>
          <span class="skeleton" style={{ width: '45%', height: '20px' }} />
          <span class="skeleton" style={{ width: '100%', height: '52px' }} />
        </div>
      ))}
    </div>
  );
}
