// Events that people go to: the lists, the one on show, and one's own answer.
import { signal, type Signal } from '@preact/signals';
import { parley } from '../client';
import type { CalendarEvent, CalendarEventQuery, Id, Rsvp, RsvpAnswer } from '../../sdk/index';
import { keptList, PagedList } from './list';
import { notify } from './notices';
import { me } from './session';

export type EventScope = NonNullable<CalendarEventQuery['scope']>;

/** The newest of each event that has been seen; lists hold only their order. */
const known = new Map<Id, Signal<CalendarEvent | null>>();

export function eventSignal(id: Id): Signal<CalendarEvent | null> {
  let entry = known.get(id);
  if (!entry) known.set(id, (entry = signal(null)));
  return entry;
}

/** As the server gave it to this person. */
export function learnEvent(event: CalendarEvent): void {
  eventSignal(event.id).value = event;
}

/** As anybody sees it: one's own answer is not in it, and stays. */
function heard(event: CalendarEvent): void {
  const entry = known.get(event.id);
  if (entry) entry.value = { ...event, my_status: entry.peek()?.my_status ?? null };
}

const scopes: EventScope[] = ['all', 'answered', 'following', 'mine'];

export function eventList(scope: EventScope): PagedList<CalendarEvent> {
  return keptList(`events:${scope}`, () => {
    const fetch = async (page: object) => {
      const found = await parley.events.list({ ...page, scope });
      found.items.forEach(learnEvent);
      return found;
    };
    return new PagedList<CalendarEvent>(fetch, (event) => event.id);
  });
}

function listsChanged(): void {
  for (const scope of scopes) void eventList(scope).refresh();
}

export async function loadEvent(id: Id): Promise<CalendarEvent> {
  const event = await parley.events.get(id);
  learnEvent(event);
  return event;
}

/** Shown at once; the server says whether there was a place. */
export async function answer(id: Id, status: RsvpAnswer): Promise<Rsvp | null> {
  const entry = eventSignal(id);
  const before = entry.peek();
  if (before) entry.value = { ...before, my_status: status };
  try {
    const rsvp = await parley.events.rsvp(id, status);
    await loadEvent(id);
    if (rsvp.status === 'waiting')
      notify(`All places are taken. You are number ${rsvp.position} in line.`);
    return rsvp;
  } catch (problem) {
    entry.value = before;
    notify(`That did not work: ${(problem as Error).message}`, 'problem');
    return null;
  }
}

export function listenToEvents(): void {
  parley.on('event.created', (event) => {
    learnEvent(event);
    listsChanged();
  });
  parley.on('event.updated', (event) => {
    heard(event);
    listsChanged();
  });
  parley.on('event.cancelled', heard);
  parley.on('event.changed', heard);
  parley.on('rsvp.changed', (rsvp) => {
    const entry = known.get(rsvp.event_id);
    const event = entry?.peek();
    if (!entry || !event || rsvp.user_id !== me.peek()?.id) return;
    const promoted = event.my_status === 'waiting' && rsvp.status === 'yes';
    entry.value = { ...event, my_status: rsvp.status };
    if (promoted) notify(`A place has come free: you are going to “${event.title}”.`);
  });
}

export function forgetEvents(): void {
  known.clear();
}

/** Saves a file under the name; the download needs the token, so no plain link does it. */
export async function saveCalendar(id: Id | null, name: string): Promise<void> {
  const text = await parley.events.calendar(id);
  const url = URL.createObjectURL(new Blob([text], { type: 'text/calendar' }));
  const link = Object.assign(document.createElement('a'), { href: url, download: `${name}.ics` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
