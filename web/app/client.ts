// The one client of this page, and what it keeps in the browser: unsent messages only. The access
// token lives in memory, the refresh token in an HttpOnly cookie that no script can read.
import { Parley, type Id, type OutgoingMessage } from '../sdk/index';
import { allStored, nameFor, writeStored } from './state/storage';

const unsent = (person: Id, clientId: string): string => nameFor(person, `unsent.${clientId}`);

export const parley = new Parley({
  outboxStorage: {
    load: (person) => allStored<OutgoingMessage>(unsent(person, '')),
    put: (message, person) => void writeStored(unsent(person, message.client_id), message),
    remove: (clientId, person) => void writeStored(unsent(person, clientId), null),
  },
});
