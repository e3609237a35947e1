// Now, to the minute: what says "5 minutes ago" reads it and stays true.
import { signal } from '@preact/signals';

export const minute = signal(Date.now());
setInterval(() => (minute.value = Date.now()), 60_000);
document.addEventListener('visibilitychange', () => (minute.value = Date.now()));
