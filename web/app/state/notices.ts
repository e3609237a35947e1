// Short notes at the edge of the page, and what only a screen reader hears.
import { signal } from '@preact/signals';

export interface Notice {
  key: number;
  text: string;
  kind: 'info' | 'problem';
}

/** The modal windows that are open, by when they were: what is outside the last one is behind it,
 * and nobody can reach it. So the notes are drawn inside. */
export const windows = signal<readonly symbol[]>([]);

export const notices = signal<readonly Notice[]>([]);
export const spoken = signal('');
let nextKey = 1;

export function notify(text: string, kind: Notice['kind'] = 'info'): void {
  const notice = { key: nextKey++, text, kind };
  notices.value = [...notices.peek().slice(-2), notice];
  setTimeout(() => dismiss(notice.key), kind === 'problem' ? 8000 : 4000);
}

export function dismiss(key: number): void {
  notices.value = notices.peek().filter((notice) => notice.key !== key);
}

/** For actions whose failure needs no more than a word. */
export async function orSay<T>(what: string, action: Promise<T>): Promise<T | undefined> {
  try {
    return await action;
  } catch (problem) {
    notify(`${what}: ${(problem as Error).message}`, 'problem');
    return undefined;
  }
}

export function speak(text: string): void {
  // The same words twice are only read twice when the text differs.
  spoken.value = spoken.peek() === text ? `${text}\u00a0` : text;
}
