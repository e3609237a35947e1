// Who is looking at this page. `phase` decides which page is shown at all.
import { signal } from '@preact/signals';
import { parley } from '../client';
import { ParleyError, type Id, type User } from '../../sdk/index';
import { navigate } from './route';
import {
  forgetNameless,
  forgetPerson,
  onStored,
  readStored,
  storeFor,
  writeStored,
} from './storage';

export type Phase = 'starting' | 'signed_out' | 'signed_in';

export const phase = signal<Phase>('starting');
export const me = signal<User | null>(null);
/** Shown on the sign-in page when it was not the person's own doing. */
export const endedNote = signal<string | null>(null);
/** The first contact with the server has failed so far; retried until it succeeds. */
export const unreachable = signal(false);

/** Only a note of whose cookie there may be: without it nobody is asked in vain. An earlier
 * version noted `true`. All windows share it, so it tells each what another one did. */
const signedInHere = (): Id | boolean => readStored<Id | boolean>('signed_in', false);

export async function start(): Promise<void> {
  parley.session.events.on('signedOut', ({ reason }) => {
    endedNote.value = reason === 'ended' ? 'Your session has ended. Please sign in again.' : null;
    leave();
    if (reason === 'replaced') location.reload();
  });
  onStored('signed_in', followOtherWindows);
  forgetNameless();
  const before = signedInHere();
  if (!before) phase.value = 'signed_out';
  for (let attempt = 0; phase.value === 'starting'; attempt++) {
    try {
      const user = await parley.resume();
      unreachable.value = false;
      if (user) enter(user);
      else nobodyThere(before);
    } catch (problem) {
      if (problem instanceof ParleyError && !problem.transient) nobodyThere(before);
      else {
        unreachable.value = true;
        await new Promise((resolve) => setTimeout(resolve, Math.min(1000 * (attempt + 1), 5000)));
      }
    }
  }
}

/** The session of an earlier visit is over: nothing is left of its person. */
function nobodyThere(before: Id | boolean): void {
  if (typeof before === 'string') forgetPerson(before);
  if (signedInHere() === before) writeStored('signed_in', null);
  phase.value = 'signed_out';
}

/** The cookie is shared: who has signed out or in there has done so here. */
function followOtherWindows(): void {
  const own = me.peek()?.id;
  const now = signedInHere();
  if (!own || now === own) return;
  if (now) return parley.session.forget('replaced');
  parley.session.forget('requested');
  endedNote.value = 'You were signed out in another window.';
}

export function enter(user: User): void {
  const before = signedInHere();
  if (typeof before === 'string' && before !== user.id) forgetPerson(before);
  storeFor(user.id);
  me.value = user;
  endedNote.value = null;
  phase.value = 'signed_in';
  writeStored('signed_in', user.id);
  parley.connect();
}

function leave(): void {
  const own = me.peek()?.id;
  me.value = null;
  storeFor(null);
  if (own) forgetPerson(own);
  // Unless somebody else has signed in meanwhile.
  if (signedInHere() === own) writeStored('signed_in', null);
  phase.value = 'signed_out';
}

export async function signOut(): Promise<void> {
  // The other windows first: they need not wait for the server's answer.
  writeStored('signed_in', null);
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
