// Where the person is. Real paths, because the server answers unknown ones with this same page.
// Each entry of the browser's history remembers how far its page was scrolled.
import { computed, signal } from '@preact/signals';

interface Place {
  path: string;
  /** With its question mark, or empty. */
  search: string;
}

const here = (): Place => ({ path: location.pathname, search: location.search });
const place = signal<Place>(here());

export const path = computed(() => place.value.path);
export const address = computed(() => place.value.path + place.value.search);
export const query = computed(() => new URLSearchParams(place.value.search));
export const openChatId = computed(() => /^\/c\/([0-9a-zA-Z-]+)$/.exec(path.value)?.[1] ?? null);

/** How this page was come to: the focus goes to a new page's heading, but not on a way back. */
export let arrival: 'first' | 'forward' | 'back' = 'first';

interface Entry {
  /** We put it there, so that "back" stays within. */
  inside?: boolean;
  key?: number;
  /** Something lay over the page of the entry before, which has the same key and address. */
  over?: boolean;
}

const scrolled = new Map<number, number>();
let nextKey = Date.now();
const entry = (): Entry => (history.state as Entry | null) ?? {};
let currentKey = entry().key ?? nextKey++;
history.replaceState({ ...entry(), key: currentKey }, '');
history.scrollRestoration = 'manual';

/** What lies over the page, uppermost last: each closes itself, or asks first. */
const covers: (() => void)[] = [];
let over = entry().over === true;

/** While something lies over the page, Back closes that instead of leaving: for this it has an
 * entry of its own. Gives what to call when it is gone. The entry stays; one that covers nothing
 * is the next page's, and Back passes over it. */
export function cover(leave: () => void): () => void {
  covers.push(leave);
  if (!over) history.pushState({ ...entry(), over: true }, '');
  over = true;
  return () => void covers.splice(covers.lastIndexOf(leave), 1);
}

addEventListener('popstate', () => {
  const next = entry();
  const top = covers.at(-1);
  if (top) {
    // To where one was: what is open may yet ask, and stay.
    const inside = next.key !== currentKey || next.inside === true;
    history.pushState({ inside, key: currentKey, over: true }, '', address.peek());
    over = true;
    return top();
  }
  const wasOver = over;
  over = next.over === true;
  if (next.key === currentKey) {
    if (wasOver && !over) history.back();
    return;
  }
  remember();
  currentKey = next.key ?? nextKey++;
  arrival = 'back';
  place.value = here();
});

const scroller = (): HTMLElement | null => document.querySelector('[data-scroller]');

function remember(): void {
  const at = scroller()?.scrollTop;
  if (at !== undefined) scrolled.set(currentKey, at);
}

/** For a page that has just been drawn: where its reader was when they left it, or the top. */
export const rememberedScroll = (): number =>
  arrival === 'back' ? (scrolled.get(currentKey) ?? 0) : 0;

export function navigate(to: string, replace = false): void {
  if (to === place.value.path + place.value.search) return;
  remember();
  if (replace && !over) history.replaceState({ ...entry(), key: currentKey }, '', to);
  else {
    currentKey = nextKey++;
    const next: Entry = { inside: true, key: currentKey };
    if (over) history.replaceState(next, '', to);
    else history.pushState(next, '', to);
    over = false;
  }
  arrival = 'forward';
  place.value = here();
}

/** Back to where one came from; to `otherwise` when that was not here. */
export function back(otherwise = '/'): void {
  if (entry().inside) history.back();
  else navigate(otherwise);
}

/** A plain click on a link within the app; all other clicks are the browser's. */
export function followsLink(event: MouseEvent): boolean {
  if (event.defaultPrevented || event.button !== 0) return false;
  return !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
}

// Links are plain <a href>: whichever component drew them, a click stays within this page.
document.addEventListener('click', (event) => {
  if (!followsLink(event)) return;
  const link = (event.target as Element).closest('a');
  if (!link || link.target || link.hasAttribute('download')) return;
  if (link.origin !== location.origin || /^\/(docs|api|assets)(\/|$)/.test(link.pathname)) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
});
