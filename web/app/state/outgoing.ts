// The outbox as the pages see it: per chat, what is on its way or was refused.
import { signal } from '@preact/signals';
import { parley } from '../client';
import type { Id, OutgoingMessage } from '../../sdk/index';

const version = signal(0);
const touch = (): void => void version.value++;
parley.outbox.events.on('changed', touch);
parley.outbox.events.on('sent', touch);
parley.outbox.events.on('discarded', touch);

export function outgoingOf(chatId: Id): readonly OutgoingMessage[] {
  void version.value;
  return parley.outbox.list(chatId).map((entry) => ({ ...entry }));
}

export function send(chatId: Id, text: string, replyTo: number | null): void {
  parley.send(chatId, text, replyTo === null ? {} : { reply_to: replyTo });
  touch();
}
