// When an event takes place, in the reader's own time and as the clocks there show it.
import type { CalendarEvent } from '../sdk/index';

const dayNumber = new Intl.DateTimeFormat(undefined, { day: 'numeric' });
const monthShort = new Intl.DateTimeFormat(undefined, { month: 'short' });
const weekdayShort = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const day = new Intl.DateTimeFormat(undefined, {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

export const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The leaf of a calendar: weekday, day and month. */
export function leafOf(event: CalendarEvent): { weekday: string; day: string; month: string } {
  const start = new Date(event.starts_at);
  return {
    weekday: weekdayShort.format(start),
    day: dayNumber.format(start),
    month: monthShort.format(start),
  };
}

export const longDay = (event: CalendarEvent): string => day.format(new Date(event.starts_at));

/** "20:00 – 22:00", with the last day when it is another one. */
export function span(event: CalendarEvent): string {
  const start = new Date(event.starts_at);
  const end = new Date(event.ends_at);
  const sameDay = start.toDateString() === end.toDateString();
  return `${clock.format(start)} – ${(sameDay ? clock : dayAndClock).format(end)}`;
}

/** "20:00 in Berlin", when the clocks there show something else than the reader's; else null. */
export function spanThere(event: CalendarEvent): string | null {
  const there = new Date(event.starts_at_local);
  const start = new Date(event.starts_at);
  if (there.getTime() === start.getTime()) return null;
  const place = event.time_zone.split('/').at(-1)!.replaceAll('_', ' ');
  const sameDay = there.toDateString() === start.toDateString();
  return `${(sameDay ? clock : dayAndClock).format(there)} in ${place}`;
}

export const isOver = (event: CalendarEvent): boolean => Date.parse(event.ends_at) <= Date.now();

/** Every zone that this browser knows, the reader's own first. */
export function timeZones(): string[] {
  const all = Intl.supportedValuesOf('timeZone');
  return [ownZone, ...all.filter((zone) => zone !== ownZone)];
}

/** "2026-06-01T20:00:00.000Z" or local text to what a datetime-local field holds. */
export const toField = (local: string): string => local.slice(0, 16);

/** The next full hour, `hours` later, as a datetime-local field holds it. */
export function fieldAfter(hours: number): string {
  const at = new Date(Date.now() + hours * 3_600_000);
  at.setMinutes(0, 0, 0);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:00`;
}
