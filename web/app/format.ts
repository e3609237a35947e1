// Times and texts as the reader's own language and clock have them.

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const longWeekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const shortDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const longDate = new Intl.DateTimeFormat(undefined, {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
});
const fullDate = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });
const everything = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

/** The day as a key: two times with the same key belong under the same heading. */
export function dayKey(time: string): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

/** Midnight, at which the day of this time began. */
export const dayStart = (time: number): number => new Date(time).setHours(0, 0, 0, 0);

const daysAgo = (time: string, today: number): number =>
  Math.round((today - dayStart(Date.parse(time))) / 86_400_000);

export const clockTime = (time: string): string => clock.format(new Date(time));
export const fullTime = (time: string): string => everything.format(new Date(time));

/** As of a day, named by its beginning. */
export function listTime(time: string, today: number): string {
  const days = daysAgo(time, today);
  if (days <= 0) return clock.format(new Date(time));
  if (days === 1) return relative.format(-1, 'day');
  return days < 7 ? weekday.format(new Date(time)) : shortDate.format(new Date(time));
}

export function dayHeading(time: string, today: number): string {
  const days = daysAgo(time, today);
  if (days <= 1) return capital(relative.format(-Math.max(days, 0), 'day'));
  if (days < 7) return longWeekday.format(new Date(time));
  const sameYear = new Date(time).getFullYear() === new Date(today).getFullYear();
  return (sameYear ? longDate : fullDate).format(new Date(time));
}

export function ago(time: string): string {
  const minutes = Math.round((Date.now() - Date.parse(time)) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return relative.format(-minutes, 'minute');
  if (minutes < 24 * 60) return relative.format(-Math.round(minutes / 60), 'hour');
  return relative.format(-Math.round(minutes / 1440), 'day');
}

const capital = (text: string): string => text.charAt(0).toLocaleUpperCase() + text.slice(1);

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** A picture, a flag, or the cap of a key; what is a sign of writing only if it asks to be one. */
const emoji =
  /^(?:(?![©®™](?!\uFE0F))\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3)/u;

/** Up to three emoji and nothing else: shown large. */
export function isOnlyEmoji(text: string): boolean {
  if (text.length === 0 || text.length > 60) return false;
  const signs = [...letters.segment(text.replace(/\s/g, ''))].map((one) => one.segment);
  return signs.length <= 3 && signs.every((sign) => emoji.test(sign));
}

const pairs: Record<string, string> = { ')': '(', ']': '[', '}': '{' };
const count = (text: string, sign: string): number => text.split(sign).length - 1;

/** Without what belongs to the sentence around it: its signs, and brackets that were opened there. */
function bareLink(link: string): string {
  let end = link.length;
  for (; end > 0; end--) {
    const last = link[end - 1]!;
    const opens = pairs[last];
    const rest = link.slice(0, end);
    if (opens ? count(rest, opens) >= count(rest, last) : !'.,;:!?'.includes(last)) break;
  }
  return link.slice(0, end);
}

/** Pieces of text, alternately plain and addresses; only http(s) becomes a link. */
export function splitLinks(text: string): { text: string; url?: string }[] {
  const pieces: { text: string; url?: string }[] = [];
  let from = 0;
  for (const found of text.matchAll(/https?:\/\/[^\s<>"'.,;:!?)\]}][^\s<>"']*/g)) {
    if (found.index > from) pieces.push({ text: text.slice(from, found.index) });
    const url = bareLink(found[0]);
    pieces.push({ text: url, url });
    from = found.index + url.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

export const byteLength = (text: string): number => new TextEncoder().encode(text).length;

const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat(undefined);

/** 1234 as 1.2K; for places where the exact number stands elsewhere or does not matter. */
export const shortNumber = (count: number): string => compact.format(count);

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${whole.format(count)} ${count === 1 ? one : many}`;
}

/** As limits are counted: by code points. */
export const characters = (text: string): number => [...text].length;

/** Shorter than `ago`, for the corner of a card. */
export function agoShort(time: string, now: number): string {
  const minutes = Math.max(0, Math.floor((now - Date.parse(time)) / 60_000));
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h`;
  if (minutes < 7 * 24 * 60) return `${Math.floor(minutes / 1440)} d`;
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? shortDate : mediumDate).format(new Date(time));
}
const mediumDate = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

export interface TextPiece {
  kind: 'text' | 'link' | 'tag' | 'mention';
  text: string;
}

// Tags and names as the server finds them: where no word goes on, letters and digits of any script.
const marked =
  /https?:\/\/[^\s<>"'.,;:!?)\]}][^\s<>"']*|(?<![\p{L}\p{M}\p{N}_])(?:#[\p{L}\p{M}\p{N}]+|@[a-zA-Z0-9][a-zA-Z0-9._]{1,30}[a-zA-Z0-9_])/gu;

export function splitMarks(text: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let from = 0;
  for (const found of text.matchAll(marked)) {
    if (found.index > from) pieces.push({ kind: 'text', text: text.slice(from, found.index) });
    const sign = found[0][0];
    const kind = sign === '#' ? 'tag' : sign === '@' ? 'mention' : 'link';
    const words = kind === 'link' ? bareLink(found[0]) : found[0];
    pieces.push({ kind, text: words });
    from = found.index + words.length;
  }
  if (from < text.length) pieces.push({ kind: 'text', text: text.slice(from) });
  return pieces;
}
