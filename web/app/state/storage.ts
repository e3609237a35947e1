// localStorage with a prefix and a temper: full, forbidden or foreign contents are no reason to
// stop, they only mean that nothing is remembered.

export function readStored<T>(name: string, fallback: T): T {
  try {
    const text = localStorage.getItem(`parley.${name}`);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

/** null forgets. */
export function writeStored(name: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(`parley.${name}`);
    else localStorage.setItem(`parley.${name}`, JSON.stringify(value));
  } catch {
    // Not remembered, then.
  }
}

/** What belongs to a person and must not be seen by the next one on this machine. */
export function forgetPerson(): void {
  for (const name of ['outbox', 'drafts', 'post_draft', 'users', 'signed_in'])
    writeStored(name, null);
}
