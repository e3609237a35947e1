// Counts the moments at which something may have been missed: the stream's first position, since
// what a page shows is loaded before it, and each `resync`. Whoever shows what was loaded reads it
// again then; what nobody looks at is read again when somebody does. Where nothing was missed but
// something could not be loaded, because the server was away, that is loaded when it is back.
import { useEffect, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';

export const missed = signal(0);

/** Counts how often the connection has come back. */
export const returned = signal(0);

/** For what could not be loaded: once more when the connection is back. */
export function useReturn(again: () => unknown): void {
  const round = returned.value;
  const seen = useRef(round);
  useEffect(() => {
    if (seen.current === round) return;
    seen.current = round;
    again();
  }, [round]);
}
