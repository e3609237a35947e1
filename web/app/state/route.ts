// Where the person is: "/" (the list), "/c/<id>" (a chat), "/settings". Real paths, because the
// server answers unknown ones with this same page.
import { computed, signal } from '@preact/signals';

const path = signal(location.pathname);
addEventListener('popstate', () => (path.value = location.pathname));

export const openChatId = computed(() => /^\/c\/([0-9a-zA-Z-]+)$/.exec(path.value)?.[1] ?? null);
export const settingsOpen = computed(() => path.value === '/settings');

export function navigate(to: string, replace = false): void {
  if (to === path.value) return;
  if (replace) history.replaceState(null, '', to);
  else history.pushState({ inside: true }, '', to);
  path.value = to;
}

/** Back to the list: by the browser's own history where we came from it. */
export function back(): void {
  if ((history.state as { inside?: boolean } | null)?.inside) history.back();
  else navigate('/');
}
