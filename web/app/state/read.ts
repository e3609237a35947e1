// How far one has read, told to the server until it has heard it: what could not be said is said
// again when the stream is back.
import { parley } from '../client';
import { ParleyError, type Id } from '../../sdk/index';

const unheard = new Map<Id, number>();

export function sayRead(chatId: Id, seq: number): void {
  unheard.set(chatId, seq);
  const heard = (): void => {
    if (unheard.get(chatId) === seq) unheard.delete(chatId);
  };
  parley.chats.markRead(chatId, seq).then(heard, (problem: unknown) => {
    if (problem instanceof ParleyError && !problem.transient) heard();
  });
}

export function sayReadAgain(): void {
  for (const [chatId, seq] of [...unheard]) sayRead(chatId, seq);
}

export function forgetRead(): void {
  unheard.clear();
}
