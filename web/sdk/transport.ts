// What the connection asks of a transport: open at a position, hand over events, say once why it
// ended. A transport knows nothing of other transports, of back-off or of resuming.
import type { Clock } from './clock';
import type { Http } from './http';
import type { Position, ServerEvent } from './types';

export type TransportName = 'websocket' | 'sse' | 'polling';

export interface Ending {
  why:
    | 'lost' /* network, or the server is gone */
    | 'refused' /* sign-in needed: renew the token, then again */
    | 'revoked' /* this session was ended */
    | 'busy' /* come back later */
    | 'slow' /* we read too slowly: resume at once */
    | 'bad_position' /* the position was not understood */
    | 'bad_watch' /* something that is watched is not there, or not for us */
    | 'closed'; /* by ourselves */
  /** What the server asked for, or 0. */
  retryAfterMs: number;
  /** Whether any answer of the server was seen: then it is not the network that is down. */
  reached: boolean;
}

export interface TransportInput {
  http: Http;
  clock: Clock;
  token: string;
  pos: Position | undefined;
  /** For transports that can say only at the beginning what is watched. */
  watched: readonly string[];
  makeSocket: ((url: string, protocols: string[]) => WebSocket) | undefined;
  onEvent(event: ServerEvent): void;
  /** The log has moved on without an event for us (long polling tells). */
  onPosition(pos: Position): void;
  /** Anything at all has come in. */
  onAlive(): void;
  /** Exactly once, unless close() was called. */
  onEnd(ending: Ending): void;
}

export interface Transport {
  readonly name: TransportName;
  /** Calls an op; only where frames can be sent. */
  request?(op: string, data: unknown, timeoutMs: number): Promise<unknown>;
  /** Makes the server say something, so that silence means something. */
  probe?(): void;
  close(): void;
}

export type OpenTransport = (input: TransportInput) => Transport;
