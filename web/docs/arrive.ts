// Going to what the address names. Nothing far away is laid out (`content-visibility`), so where a
// target stands is a guess until one is near it, and what is drawn on the way moves it again: the
// way there is gone until the target stays. Whoever scrolls by themselves meanwhile is let go.

const QUIET_FRAMES = 6;
const FRAMES_MAX = 240;
const OWN_WAYS = ['wheel', 'touchmove', 'pointerdown', 'keydown'];

let current: AbortController | undefined;

export function arrive(): void {
  current?.abort();
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  const way = (current = new AbortController());
  const { signal } = way;
  for (const type of OWN_WAYS)
    addEventListener(type, () => way.abort(), { passive: true, signal });
  let quiet = 0;
  let frames = 0;
  const step = (): void => {
    if (signal.aborted) return;
    const before = target.getBoundingClientRect().top;
    target.scrollIntoView();
    const moved = Math.abs(target.getBoundingClientRect().top - before) > 1;
    quiet = moved ? 0 : quiet + 1;
    if (quiet < QUIET_FRAMES && ++frames < FRAMES_MAX) requestAnimationFrame(step);
    else way.abort();
  };
  step();
}

/** Also when the same link is followed again, of which the address says nothing. */
export function arriveWhenAsked(): void {
  addEventListener('hashchange', arrive);
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest('a');
    if (link && link.hash !== '' && link.href === location.href) requestAnimationFrame(arrive);
  });
}
