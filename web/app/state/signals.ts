// Trade signals: the board of approved ones, one's own, and for admins what waits for a decision.
import { parley } from '../client';
import type { Page, PageQuery, TradeSignal, TradeSignalStatus } from '../../sdk/index';
import { keptList, PagedList } from './list';
import { notify } from './notices';
import { me } from './session';

export type Board = 'approved' | 'mine' | 'decide';

const fetchers: Record<Board, (page: PageQuery) => Promise<Page<TradeSignal>>> = {
  approved: (page) => parley.signals.approved(page),
  mine: (page) => parley.signals.list(page),
  decide: (page) => parley.admin.signals({ ...page, status: 'pending' }),
};

export const board = (name: Board): PagedList<TradeSignal> =>
  keptList(`signals:${name}`, () => new PagedList(fetchers[name], (signal) => signal.id));

const shownOn: Record<Board, (signal: TradeSignal) => boolean> = {
  approved: (signal) => signal.status === 'approved',
  mine: (signal) => signal.user_id === me.peek()?.id,
  decide: (signal) => signal.status === 'pending',
};

/** Into the lists where it belongs, out of the others. */
export function putSignal(signal: TradeSignal): void {
  for (const name of Object.keys(shownOn) as Board[]) {
    const list = board(name);
    if (!list.asked) continue;
    if (!shownOn[name](signal)) list.remove(signal.id);
    else if (list.items.peek().some((one) => one.id === signal.id)) list.update(signal);
    else list.prepend(signal);
  }
}

export function dropSignal(id: string): void {
  for (const name of Object.keys(shownOn) as Board[]) board(name).remove(id);
}

const verdicts: Partial<Record<TradeSignalStatus, string>> = {
  approved: 'was approved',
  rejected: 'was rejected',
  closed: 'was closed',
};

export function listenToSignals(): void {
  parley.on('signal.changed', putSignal);
  parley.on('signal.decided', (signal) => {
    putSignal(signal);
    const verdict = verdicts[signal.status];
    if (verdict) notify(`Your signal ${signal.symbol} ${verdict}.`);
  });
  parley.on('admin.changed', ({ what }) => {
    if (what === 'signals') void board('decide').refresh();
  });
}
