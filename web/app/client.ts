// The one client of this page, and what it keeps in the browser: unsent messages only. The access
// token lives in memory, the refresh token in an HttpOnly cookie that no script can read.
import { Parley, type OutgoingMessage } from '../sdk/index';
import { nameFor, readStored, writeStored } from './state/storage';

export const parley = new Parley({
  outboxStorage: {
    load: (person) => readStored<OutgoingMessage[]>(nameFor(person, 'outbox'), []),
    save: (messages, person) =>
      void writeStored(nameFor(person, 'outbox'), messages.length ? messages : null),
  },
});
