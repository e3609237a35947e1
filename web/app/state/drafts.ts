// What was being written (in a chat, a post, a comment), kept over a switch or a reload. Each text
// has a key of its own, so that two windows do not undo each other's.
import { readOwn, writeOwn } from './storage';

/** What the browser would not keep is at least here until the page ends. */
const here = new Map<string, string>();

export const draftOf = (place: string): string =>
  here.get(place) ?? readOwn(`draft.${place}`, '');

export function setDraft(place: string, text: string): void {
  const kept = writeOwn(`draft.${place}`, text || null);
  if (kept || !text) here.delete(place);
  else here.set(place, text);
}

export function forgetDrafts(): void {
  here.clear();
}

export const chatDraft = (chatId: string): string => `chat.${chatId}`;
/** Which message a chat's draft answers: its seq. */
export const replyDraft = (chatId: string): string => `chat.${chatId}.reply`;
export const commentDraft = (postId: string, parent: string | null): string =>
  `comment.${postId}.${parent ?? ''}`;
export const POST_DRAFT = 'post';
export const NAME_DRAFT = 'profile.name';
export const ABOUT_DRAFT = 'profile.about';
