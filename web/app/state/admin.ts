// Lists of the administration: one kept for each question asked, read again when the server says
// that something of the kind has changed.
import { useEffect, useMemo } from 'preact/hooks';
import { parley } from '../client';
import type { AdminArea, FetchPage } from '../../sdk/index';
import { PagedList } from './list';
import { useWatch } from './watch';

/** `asked` is what the list depends on besides the area: filters, a search. */
export function useAdminList<T>(
  area: AdminArea | null,
  fetch: FetchPage<T>,
  keyOf: (item: T) => string,
  asked: readonly unknown[] = [],
): PagedList<T> {
  const list = useMemo(() => new PagedList(fetch, keyOf, 50), asked);
  useEffect(() => void list.reload(), [list]);
  useEffect(
    () =>
      parley.on('admin.changed', ({ what }) => {
        if (what === area) void list.reload();
      }),
    [list, area],
  );
  useWatch(area === null ? null : 'admin', () => void list.reload());
  return list;
}

/** For what moves all the time and tells nobody: read again every few seconds while it is shown. */
export function useRefresh(refresh: () => void, everyMs: number): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') refresh();
    }, everyMs);
    return () => clearInterval(timer);
  }, [refresh]);
}
