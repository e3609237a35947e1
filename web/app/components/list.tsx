// A list that grows as one scrolls: its waiting shapes, its end, what went wrong, what it means
// that it is empty.
import type { ComponentChildren, VNode } from 'preact';
import type { PagedList } from '../state/list';
import { TryAgain } from './small';

interface ListViewProps<T> {
  list: PagedList<T>;
  label: string;
  draw(item: T): VNode | null;
  keyOf(item: T): string;
  empty: ComponentChildren;
  skeleton(): VNode;
  /** Without a card around it. */
  plain?: boolean;
}

export function ListView<T>(props: ListViewProps<T>) {
  const { list, label, draw, keyOf, empty, skeleton } = props;
  const items = list.items.value;
  if (!list.loaded.value)
    return list.problem.value ? (
      <Trouble problem={list.problem.value} retry={() => list.retry()} />
    ) : (
      <div aria-hidden="true" class="list skeletons">
        {[0, 1, 2, 3].map((index) => (
          <div key={index}>{skeleton()}</div>
        ))}
      </div>
    );
  if (items.length === 0 && list.done.value) return <>{empty}</>;
  return (
    <>
      <ul
        class={`list${props.plain ? ' plain' : ''}`}
        aria-label={label}
        aria-busy={list.busy.value}
      >
        {items.map((item) => (
          <li key={keyOf(item)}>{draw(item)}</li>
        ))}
        {!list.done.value && !list.problem.value && (
          <li aria-hidden="true" class="list-next">
            {skeleton()}
          </li>
        )}
      </ul>
      {list.problem.value && <Trouble problem={list.problem.value} retry={() => list.retry()} />}
    </>
  );
}

function Trouble({ problem, retry }: { problem: string; retry(): Promise<void> }) {
  return <TryAgain retry={retry}>This could not be loaded: {problem}</TryAgain>;
}

export function Bones({ widths }: { widths: string[] }) {
  return (
    <span class="bones">
      {widths.map((width, index) => (
        <span key={index} class="skeleton" style={{ width }} />
      ))}
    </span>
  );
}
