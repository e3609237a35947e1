// Who is looking at this page. `phase` decides which page is shown at all.
import { signal } from '@preact/signals';
import { parley } from '../client';
import { ParleyError, type User } from '../../sdk/index';
import { navigate } from './route';
import { forgetPerson, readStored, writeStored } from './storage';

export type Phase = 'starting' | 'signed_out' | 'signed_in';

export const phase = signal<Phase>('starting');
export const me = signal<User | null>(null);
/** Shown on the sign-in page when it was not the person's own doing. */
export const endedNote = signal<string | null>(null);
/** The first contact with the server has failed so far; retried until it succeeds. */
export const unreachable = signal(false);

export async function start(): Promise<void> {
  parley.session.events.on('signedOut', ({ reason }) => {
    endedNote.value = reason === 'ended' ? 'Your session has ended. Please sign in again.' : null;
    leave();
  });
  // Only a note that there may be a cookie: without it nobody is asked in vain.
  if (!readStored('signed_in', false)) phase.value = 'signed_out';
  for (let attempt = 0; phase.value === 'starting'; attempt++) {
    try {
      const user = await parley.resume();
      unreachable.value = false;
      if (user) enter(user);
      else phase.value = 'signed_out';
    } catch (problem) {
      if (problem instanceof ParleyError && !problem.transient) phase.value = 'signed_out';
      else {
        unreachable.value = true;
        await new Promise((resolve) => setTimeout(resolve, Math.min(1000 * (attempt + 1), 5000)));
      }
    }
  }
}

export function enter(user: User): void {
  me.value = user;
  endedNote.value = null;
  phase.value = 'signed_in';
  writeStored('signed_in', true);
  parley.connect();
}

function leave(): void {
  me.value = null;
  forgetPerson();
  phase.value = 'signed_out';
}

export async function signOut(): Promise<void> {
  await parley.signOut();
  leave();
  // Who signs in next here begins at the beginning.
  navigate('/', true);
}

/** The account was left: out, with a word about what that means. */
export async function leaveAccount(note: string): Promise<void> {
  await signOut();
  endedNote.value = note;
}

/** The server may still be preparing a new account: it says so, and we ask again for a while. */
export async function signInPatiently(login: string, password: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return enter(await parley.signIn({ login, password, device_name: deviceName() }));
    } catch (problem) {
      const pending = problem instanceof ParleyError && problem.code === 'account_pending';
      if (!pending || attempt >= 15) throw problem;
      await new Promise((resolve) => setTimeout(resolve, 800));
    }
  }
}

export function deviceName(): string {
  const agent = navigator.userAgent;
  const browser = /Edg\//.test(agent)
    ? 'Edge'
    : /Firefox\//.test(agent)
      ? 'Firefox'
      : /Chrome\//.test(agent)
        ? 'Chrome'
        : /Safari\//.test(agent)
          ? 'Safari'
          : 'Browser';
  const system = /Android/.test(agent)
    ? 'Android'
    : /iPhone|iPad/.test(agent)
      ? 'iOS'
      : /Windows/.test(agent)
        ? 'Windows'
        : /Mac OS/.test(agent)
          ? 'macOS'
          : /Linux/.test(agent)
            ? 'Linux'
            : '';
  return system ? `${browser} on ${system}` : browser;
}
