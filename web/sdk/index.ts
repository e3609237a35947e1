// What other developers import. Anything not named here is inside.
export { Parley, type ParleyOptions } from './client';
export { ParleyError } from './error';
export { uuidv7 } from './ids';
export { systemClock, type Clock, type Timer } from './clock';
export type { ConnectionEvents, ConnectionState } from './connection';
export type { CallOptions } from './http';
export type { OutboxStorage, OutgoingMessage } from './outbox';
export type { TokenStorage } from './session';
export type { TransportName } from './transport';
export { Pager, type FetchPage } from './pager';
export type * from './types';
export type * from './types_social';
export type * from './types_admin';
