// The frame of a page: a bar with its heading, what scrolls below, and the focus, which goes to the
// heading when one comes to the page by a link, so that a screen reader reads what is new.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { address, arrival, back, rememberedScroll } from '../state/route';
import { useTitle } from '../state/title';
import { IconButton } from './button';

interface PageFrameProps {
  title: string;
  /** A way back at the left, to where one came from or else to this path. */
  backTo?: string;
  /** Controls at the right end of the bar. */
  actions?: ComponentChildren;
  /** Stays below the bar while the rest scrolls: tabs, a search field. */
  sticky?: ComponentChildren;
  /** A second column, where there is room for one. */
  aside?: ComponentChildren;
  /** For tables: the column takes the whole width. */
  wide?: boolean;
  /** What is shown is still on its way. */
  busy?: boolean;
  onNearEnd?(): void;
  children: ComponentChildren;
}

const NEAR_END_PX = 1200;

export function Page(props: PageFrameProps) {
  const { title, backTo, actions, sticky, aside, wide, busy, onNearEnd, children } = props;
  const frame = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  useTitle(title);
  // A tab is a place of its own, too.
  useLayoutEffect(() => void (scroller.current!.scrollTop = rememberedScroll()), [address.value]);
  useLayoutEffect(() => {
    const taken = document.activeElement?.closest('main') !== null;
    const wanted = frame.current!.querySelector<HTMLElement>('[autofocus]') ?? heading.current!;
    if (arrival === 'forward' && !taken) wanted.focus({ preventScroll: true });
  }, []);
  const near = (): void => {
    const view = scroller.current;
    if (!view || !onNearEnd) return;
    if (view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_END_PX) onNearEnd();
  };
  // A short list may end within the window: then nobody scrolls, and more is wanted all the same.
  useLayoutEffect(near);
  return (
    <main ref={frame} class={`page${wide ? ' wide' : ''}`} id="page" aria-busy={busy}>
      <header class="page-bar">
        {backTo !== undefined && (
          <IconButton icon="back" label="Back" onClick={() => back(backTo)} />
        )}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions}
      </header>
      <div class="page-scroll" data-scroller ref={scroller} onScroll={near}>
        {sticky && <div class="page-sticky">{sticky}</div>}
        <div class="page-columns">
          <div class="column">{children}</div>
          {aside && <aside class="page-aside">{aside}</aside>}
        </div>
      </div>
    </main>
  );
}
