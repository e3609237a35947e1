// A list as a table; on a narrow window each row becomes a card whose lines name their column.
import type { ComponentChildren } from 'preact';
import type { PagedList } from '../state/list';
import { Button } from './button';
import type { IconName } from './icon';
import { Empty, TryAgain } from './small';

export interface Column<T> {
  head: string;
  cell(item: T): ComponentChildren;
  /** Figures stand at the right. */
  figures?: boolean;
  /** Buttons: no heading on a card. */
  deeds?: boolean;
}

interface TableProps<T> {
  label: string;
  list: PagedList<T>;
  columns: readonly Column<T>[];
  keyOf(item: T): string;
  empty: { icon: IconName; title: string; text: string };
}

export function Table<T>({ label, list, columns, keyOf, empty }: TableProps<T>) {
  const items = list.items.value;
  const loaded = list.loaded.value;
  if (loaded && items.length === 0 && !list.problem.value)
    return (
      <Empty icon={empty.icon} title={empty.title}>
        <p>{empty.text}</p>
      </Empty>
    );
  const problem = list.problem.value && (
    <TryAgain retry={() => list.retry()}>{list.problem.value}</TryAgain>
  );
  if (!loaded && problem) return problem;
  return (
    <div class="table-frame">
      {problem}
      <table class="table" aria-label={label} aria-busy={!loaded || list.busy.value}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} scope="col" class={column.figures ? 'figures' : undefined}>
                {column.deeds ? <span class="visually-hidden">{column.head}</span> : column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {loaded
            ? items.map((item) => (
                <tr key={keyOf(item)}>
                  {columns.map((column) => (
                    <td
                      key={column.head}
                      class={column.figures ? 'figures' : column.deeds ? 'deeds' : undefined}
                      data-head={column.deeds ? undefined : column.head}
                    >
                      {column.cell(item)}
                    </td>
                  ))}
                </tr>
              ))
            : [0, 1, 2, 3, 4].map((row) => (
                <tr key={row} aria-hidden="true">
                  {columns.map((column) => (
                    <td key={column.head}>
                      <span class="skeleton bone" />
                    </td>
                  ))}
                </tr>
              ))}
        </tbody>
      </table>
      {loaded && !list.done.value && (
        <Button wide busy={list.busy.value} onClick={() => void list.more()}>
          Show more
        </Button>
      )}
    </div>
  );
}
