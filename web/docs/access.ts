// Who "try it" speaks as: the web client's session in this browser, or a token that was pasted.
import { computed, signal } from '@preact/signals';
import { Parley } from '../sdk/index';

const parley = new Parley();
parley.session.events.on('signedOut', () => (signedInAs.value = null));

export const pasted = signal('');
export const signedInAs = signal<string | null>(null);

export const speaksAs = computed(() =>
  pasted.value ? 'a pasted token' : signedInAs.value ? `@${signedInAs.value}` : null,
);

export async function findSession(): Promise<void> {
  if (localStorage.getItem('parley.signed_in') === null) return;
  const user = await parley.resume().catch(() => null);
  signedInAs.value = user?.username ?? null;
}

export async function currentToken(): Promise<string | null> {
  if (pasted.peek()) return pasted.peek();
  return signedInAs.peek() ? parley.session.token().catch(() => null) : null;
}
