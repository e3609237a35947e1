// A long list of rows of unknown heights that draws only those near the viewport and never moves
// what the reader looks at, whatever is added above, measured late, or changes its size.
//
// The place is held by an anchor: an edge of a row and where that stands, or "the end". After
// each change of size (before the browser paints) the scroll position is corrected until the anchor
// stands where it stood. What is not drawn is replaced by two spacers of measured heights, or of
// estimates for rows never seen. The browser's own scroll anchoring is off, it would correct twice.
import { Component, type Ref, type VNode } from 'preact';
import { useEffect, useImperativeHandle, useLayoutEffect, useReducer, useRef } from 'preact/hooks';

export interface VirtualRow {
  key: string;
  /** First guess of the height in px. */
  guess: number;
  /** Rows that come, go or move (a loading sign, a day's heading) are not held on to. */
  fleeting?: boolean;
}

export interface VirtualHandle {
  toEnd(): void;
  /** Brings a row into view, a third from the top; `there` is told once it is drawn. */
  toKey(key: string, there?: (row: HTMLElement) => void): void;
}

interface Props<R extends VirtualRow> {
  rows: readonly R[];
  /** Must stay the same function as long as it would draw the same. */
  render(row: R, marked: boolean): VNode;
  markedKey: string | null;
  /** Where to begin instead of the end. */
  startKey?: string | null;
  label: string;
  handle?: Ref<VirtualHandle>;
  onNearTop(): void;
  /** After scrolling and after changes: is the end in view, and which row is the last one seen. */
  onView(atEnd: boolean, lastKey: string | null): void;
}

const OVERSCAN_PX = 900;
const NEAR_PX = 700;
const END_SLACK_PX = 32;

interface Anchor {
  key: string;
  /** Which edge is held, and where below the viewport's upper edge. Scrolling holds the lower
   * edge of the uppermost row: when that row itself changes its height, all below stay still. */
  edge: 'top' | 'bottom';
  offset: number;
}

interface Place {
  /** null: the end. */
  anchor: Anchor | null;
  heights: Map<string, number>;
  start: number;
  end: number;
  /** scrollTop as last set or read: anything else is a scroll whose event is still to come. */
  top: number;
  /** Who waits for a row to be drawn. */
  awaited?: { key: string; there(row: HTMLElement): void } | undefined;
}

export function VirtualList<R extends VirtualRow>(props: Props<R>) {
  const { rows } = props;
  const viewport = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [, again] = useReducer((count: number) => count + 1, 0);
  const state = useRef<Place>(undefined!);
  state.current ??= {
    anchor: props.startKey ? { key: props.startKey, edge: 'top', offset: 120 } : null,
    heights: new Map(),
    start: 0,
    end: 0,
    top: 0,
  };
  const place = state.current;
  const viewportPx = useRef(0);
  const latest = useRef(props);
  latest.current = props;

  const drawnRows = useRef(rows);
  const before = drawnRows.current;
  drawnRows.current = rows;
  // The document still shows what was drawn before: the last moment to see where the reader is.
  if (viewport.current && viewport.current.scrollTop !== place.top && place.end > 0)
    readAnchor(place, viewport.current, content.current!, before);
  const heightOf = (index: number): number => heightIn(place, rows[index]!);
  chooseRange(place, rows, heightOf, viewport.current?.clientHeight ?? 900);
  let above = 0;
  let below = 0;
  for (let i = 0; i < place.start; i++) above += heightOf(i);
  for (let i = place.end; i < rows.length; i++) below += heightOf(i);

  const settle = (): void => {
    if (!viewport.current || !content.current) return;
    measure(place, content.current);
    hold(place, viewport.current, content.current);
    const { awaited } = place;
    const row = awaited && rowOf(content.current, awaited.key);
    if (row) {
      place.awaited = undefined;
      awaited.there(row);
    }
    report(viewport.current, content.current, place, latest.current);
  };
  useLayoutEffect(settle);
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      const view = viewport.current;
      if (!view) return;
      // Scrolled in this very frame, and the event is still to come.
      if (view.scrollTop !== place.top && view.clientHeight === viewportPx.current)
        readAnchor(place, view, content.current!, latest.current.rows);
      viewportPx.current = view.clientHeight;
      settle();
    });
    observer.observe(viewport.current!);
    observer.observe(content.current!);
    return () => observer.disconnect();
  }, []);

  const onScroll = (): void => {
    const list = latest.current.rows;
    if (viewport.current!.scrollTop !== place.top)
      readAnchor(place, viewport.current!, content.current!, list);
    report(viewport.current!, content.current!, place, latest.current);
    if (!covered(viewport.current!, content.current!, place, list.length)) again(undefined);
  };

  useImperativeHandle(
    props.handle ?? null,
    () => ({
      toEnd: () => {
        place.top = viewport.current!.scrollTop;
        place.anchor = null;
        again(undefined);
      },
      toKey: (key, there) => {
        place.awaited = there && { key, there };
        place.top = viewport.current!.scrollTop;
        const offset = Math.round(viewport.current!.clientHeight / 3);
        place.anchor = { key, edge: 'top', offset };
        again(undefined);
      },
    }),
    [],
  );

  return (
    <div class="viewport" ref={viewport} onScroll={onScroll} tabIndex={-1}>
      <div class="rows" ref={content} role="log" aria-live="off" aria-label={props.label}>
        <div style={{ height: `${above}px`, flex: 'none' }} />
        {rows.slice(place.start, place.end).map((row) => (
          <Still key={row.key} row={row} marked={row.key === props.markedKey} draw={props.render} />
        ))}
        <div style={{ height: `${below}px`, flex: 'none' }} />
      </div>
    </div>
  );
}

/** Enough rows around the anchor to fill the viewport and some more on both sides. */
function chooseRange(
  place: Place,
  rows: readonly VirtualRow[],
  heightOf: (i: number) => number,
  viewportPx: number,
): void {
  const anchor = place.anchor;
  let at = anchor ? rows.findIndex((row) => row.key === anchor.key) : -1;
  if (at < 0) {
    place.anchor = null;
    at = rows.length;
  }
  const beforePx = place.anchor ? Math.max(place.anchor.offset, 0) : viewportPx;
  const afterPx = place.anchor ? viewportPx - Math.min(place.anchor.offset, 0) : 0;
  let start = at;
  for (let px = 0; start > 0 && px < beforePx + OVERSCAN_PX; px += heightOf(start)) start--;
  let end = at;
  for (let px = 0; end < rows.length && px < afterPx + OVERSCAN_PX; end++) px += heightOf(end);
  place.start = start;
  place.end = end;
}

interface StillProps<R> {
  row: R;
  marked: boolean;
  draw(row: R, marked: boolean): VNode;
}

/** Draws a row again only when it is another one. (Keeping the elements would do too, but
 * each holds on to the list it was drawn in, and so to every row that was ever drawn.) */
class Still<R extends VirtualRow> extends Component<StillProps<R>> {
  override shouldComponentUpdate(next: StillProps<R>): boolean {
    const { row, marked, draw } = this.props;
    return row !== next.row || marked !== next.marked || draw !== next.draw;
  }

  override render({ row, marked, draw }: StillProps<R>): VNode {
    return draw(row, marked);
  }
}

const heightIn = (place: Place, row: VirtualRow): number => place.heights.get(row.key) ?? row.guess;

const drawn = (content: HTMLElement): HTMLElement[] =>
  [...content.children].slice(1, -1) as HTMLElement[];

const rowOf = (content: HTMLElement, key: string): HTMLElement | null =>
  content.querySelector(`[data-key="${CSS.escape(key)}"]`);

function measure(place: Place, content: HTMLElement): void {
  for (const element of drawn(content))
    place.heights.set(element.dataset.key!, element.getBoundingClientRect().height);
}

/** Scrolls so that the anchor is where it was. */
function hold(place: Place, viewport: HTMLElement, content: HTMLElement): void {
  if (!place.anchor) {
    const bottom = viewport.scrollHeight - viewport.clientHeight;
    if (Math.abs(viewport.scrollTop - bottom) > 0.5) viewport.scrollTop = bottom;
    place.top = viewport.scrollTop;
    return;
  }
  const element = rowOf(content, place.anchor.key);
  if (!element) return;
  const box = element.getBoundingClientRect();
  const now = box[place.anchor.edge] - viewport.getBoundingClientRect().top;
  const off = now - place.anchor.offset;
  if (Math.abs(off) > 0.5) viewport.scrollTop += off;
  place.top = viewport.scrollTop;
}

/** After the reader has scrolled: what is held from now on. */
function readAnchor(
  place: Place,
  viewport: HTMLElement,
  content: HTMLElement,
  rows: readonly VirtualRow[],
): void {
  place.top = viewport.scrollTop;
  const left = viewport.scrollHeight - viewport.clientHeight - viewport.scrollTop;
  if (left < END_SLACK_PX && place.end === rows.length) {
    place.anchor = null;
    return;
  }
  const edge = viewport.getBoundingClientRect();
  const fleeting = new Set(
    rows
      .slice(place.start, place.end)
      .filter((row) => row.fleeting)
      .map((row) => row.key),
  );
  for (const element of drawn(content)) {
    const box = element.getBoundingClientRect();
    if (box.bottom <= edge.top || box.top >= edge.bottom) continue;
    if (fleeting.has(element.dataset.key!)) continue;
    place.anchor = { key: element.dataset.key!, edge: 'bottom', offset: box.bottom - edge.top };
    return;
  }
  // Dragged to where nothing is drawn: the sums of heights say which row belongs there.
  let top = content.getBoundingClientRect().top - edge.top;
  for (let i = 0; i < rows.length; i++) {
    const height = heightIn(place, rows[i]!);
    if (top + height > 0 && !rows[i]!.fleeting) {
      place.anchor = { key: rows[i]!.key, edge: 'top', offset: top };
      return;
    }
    top += height;
  }
}

/** Whether there are drawn rows well beyond both edges. */
function covered(
  viewport: HTMLElement,
  content: HTMLElement,
  place: Place,
  count: number,
): boolean {
  const list = drawn(content);
  const edge = viewport.getBoundingClientRect();
  const first = list[0]?.getBoundingClientRect().top ?? edge.bottom;
  const last = list.at(-1)?.getBoundingClientRect().bottom ?? edge.top;
  const slack = OVERSCAN_PX / 2;
  return (
    (place.start === 0 || first < edge.top - slack) &&
    (place.end === count || last > edge.bottom + slack)
  );
}

function report(
  viewport: HTMLElement,
  content: HTMLElement,
  place: Place,
  props: Props<VirtualRow>,
): void {
  const left = viewport.scrollHeight - viewport.clientHeight - viewport.scrollTop;
  const edge = viewport.getBoundingClientRect().bottom + 1;
  const seen = drawn(content)
    .filter((one) => one.getBoundingClientRect().bottom <= edge)
    .at(-1);
  props.onView(left < END_SLACK_PX && place.end === props.rows.length, seen?.dataset.key ?? null);
  if (place.start === 0 && viewport.scrollTop < NEAR_PX) props.onNearTop();
}
