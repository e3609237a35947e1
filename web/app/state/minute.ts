// Now, to the minute: what says "5 minutes ago" reads it and stays true.
import { computed, signal } from '@preact/signals';
import { dayStart } from '../format';

export const minute = signal(Date.now());
/** The beginning of this day: what says "today" reads it. */
export const today = computed(() => dayStart(minute.value));
setInterval(() => (minute.value = Date.now()), 60_000);
document.addEventListener('visibilitychange', () => (minute.value = Date.now()));
