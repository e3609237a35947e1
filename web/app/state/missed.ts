// Counts the moments at which something may have been missed: the stream's first position, since
// what a page shows is loaded before it, and each `resync`. Whoever shows what was loaded reads it
// again then; what nobody looks at is read again when somebody does.
import { signal } from '@preact/signals';

export const missed = signal(0);
