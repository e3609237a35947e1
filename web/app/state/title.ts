// What the window is called: how much is unread, the page, the product.
import { signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';

/** Set from the page's row when it opens, and by pages that have a better name. */
export const pageTitle = signal('');

export function useTitle(title: string): void {
  useLayoutEffect(() => void (pageTitle.value = title), [title]);
}
