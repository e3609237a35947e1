// Time and chance behind a small door, so that tests of back-off and watchdogs need no waiting.

export interface Clock {
  /** Milliseconds of the wall clock; jumps when the machine slept or the clock was set. */
  wall(): number;
  /** Milliseconds that never run backwards; may stand still while the machine sleeps. */
  steady(): number;
  after(ms: number, fn: () => void): Timer;
  /** 0 up to, but not including, 1. */
  random(): number;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  wall: () => Date.now(),
  steady: () => performance.now(),
  after(ms, fn) {
    const handle = setTimeout(fn, ms);
    return { cancel: () => clearTimeout(handle) };
  },
  random: () => Math.random(),
};

export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = clock.after(ms, done);
    function done(): void {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done);
  });
}

/** Exponential with full jitter above a floor: many clients of a restarted server spread out. */
export function backoffMs(clock: Clock, attempt: number, baseMs = 400, capMs = 15_000): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 20));
  return Math.round(ceiling / 4 + clock.random() * ceiling * 0.75);
}
