// localStorage with a prefix and a temper: full, forbidden or foreign contents are no reason to
// stop, they only mean that nothing is remembered. What belongs to a person is under their id, so
// that nobody else who signs in here is shown it, and no window takes it for its own person's.
import type { Id } from '../../sdk/index';

const PREFIX = 'parley.';

export function readStored<T>(name: string, fallback: T): T {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

function keysFrom(start: string): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX + start));
  } catch {
    return [];
  }
}

/** Everything whose name begins like this, in any order; what cannot be read is left out. */
export function allStored<T>(start: string): T[] {
  return keysFrom(start)
    .map((key) => readStored<T | null>(key.slice(PREFIX.length), null))
    .filter((value) => value !== null) as T[];
}

/** null forgets. Gives false when it could not be kept. */
export function writeStored(name: string, value: unknown): boolean {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** Another window has changed what is under this name. */
export function onStored(name: string, changed: () => void): void {
  addEventListener('storage', (event) => {
    if (event.key === PREFIX + name || event.key === null) changed();
  });
}

// --- what belongs to a person -------------------------------------------------------------------

export const nameFor = (person: Id, name: string): string => `of.${person}.${name}`;

let owner: Id | null = null;

/** Whose things are read and written from now on; null: nobody's. */
export function storeFor(person: Id | null): void {
  owner = person;
}

export function readOwn<T>(name: string, fallback: T): T {
  return owner === null ? fallback : readStored(nameFor(owner, name), fallback);
}

export function writeOwn(name: string, value: unknown): boolean {
  return owner !== null && writeStored(nameFor(owner, name), value);
}

export function forgetPerson(person: Id): void {
  for (const key of keysFrom(nameFor(person, ''))) writeStored(key.slice(PREFIX.length), null);
}

/** An earlier version kept these without saying whose they were. */
export function forgetNameless(): void {
  for (const name of ['outbox', 'drafts', 'post_draft', 'users']) writeStored(name, null);
}
