// What was being written in each chat, kept over a switch or a reload.
import type { Id } from '../../sdk/index';
import { readStored, writeStored } from './storage';

let drafts = readStored<Record<Id, string>>('drafts', {});
let timer = 0;

export const draftOf = (chatId: Id): string => drafts[chatId] ?? '';

export function setDraft(chatId: Id, text: string): void {
  if (text) drafts[chatId] = text;
  else delete drafts[chatId];
  clearTimeout(timer);
  timer = window.setTimeout(() => {
    writeStored('drafts', Object.keys(drafts).length ? drafts : null);
  }, 300);
}

export function forgetDrafts(): void {
  clearTimeout(timer);
  drafts = {};
}
