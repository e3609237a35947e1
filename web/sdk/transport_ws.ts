// WebSocket: events and ops over one socket. The token travels as a subprotocol, because browsers
// cannot set headers here and a URL ends up in logs.
import type { Timer } from './clock';
import { ParleyError } from './error';
import type { Ending, Transport, TransportInput } from './transport';
import type { Problem, ServerEvent } from './types';

interface Waiting {
  resolve(data: unknown): void;
  reject(problem: ParleyError): void;
  timer: Timer;
}

/** Close codes of the server (4000–4999 are the application's, RFC 6455 section 7.4.2). */
function endingOf(event: CloseEvent, opened: boolean): Ending {
  const base = { retryAfterMs: 0, reached: opened };
  switch (event.code) {
    case 4001:
      return { ...base, why: 'refused', reached: true };
    case 4003:
      return { ...base, why: 'revoked', reached: true };
    case 4008:
      return { ...base, why: 'slow', reached: true };
    case 4009:
      return { why: 'busy', reached: true, retryAfterMs: retryAfter(event.reason) };
    case 4029:
      return { why: 'busy', reached: true, retryAfterMs: retryAfter(event.reason) || 5000 };
    default:
      return { ...base, why: 'lost' };
  }
}

function retryAfter(reason: string): number {
  try {
    const seconds = Number((JSON.parse(reason) as { retry_after?: unknown }).retry_after);
    return seconds > 0 ? Math.min(seconds, 300) * 1000 : 0;
  } catch {
    return 0;
  }
}

export function openWebSocket(input: TransportInput): Transport {
  const url = new URL(`${input.http.base}/ws`, globalThis.location?.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  if (input.pos !== undefined) url.searchParams.set('pos', input.pos);
  const socket = input.makeSocket!(url.href, ['parley.v1', `bearer.${input.token}`]);
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let opened = false;
  let ended = false;

  function end(ending: Ending): void {
    if (ended) return;
    ended = true;
    for (const entry of waiting.values()) {
      entry.timer.cancel();
      entry.reject(new ParleyError({ code: 'network', detail: 'The connection was lost.' }));
    }
    waiting.clear();
    if (ending.why !== 'closed') input.onEnd(ending);
  }

  function take(text: string): void {
    const frame = JSON.parse(text) as Partial<ServerEvent> & {
      id?: number;
      data?: unknown;
      error?: Problem;
    };
    if (typeof frame.event === 'string') return input.onEvent(frame as ServerEvent);
    const entry = frame.id === undefined ? undefined : waiting.get(frame.id);
    if (entry) {
      waiting.delete(frame.id!);
      entry.timer.cancel();
      if (!frame.error) return entry.resolve(frame.data);
      return entry.reject(new ParleyError(frame.error));
    }
    if (frame.error?.code === 'invalid_pos') {
      end({ why: 'bad_position', retryAfterMs: 0, reached: true });
      socket.close();
    }
  }

  socket.onopen = () => {
    opened = true;
    input.onAlive();
  };
  socket.onmessage = (event: MessageEvent) => {
    if (ended) return;
    input.onAlive();
    if (typeof event.data !== 'string') return;
    try {
      take(event.data);
    } catch {
      // Not the server's JSON: whatever is between us is broken, so begin afresh.
      end({ why: 'lost', retryAfterMs: 0, reached: true });
      socket.close();
    }
  };
  socket.onclose = (event: CloseEvent) => end(endingOf(event, opened));

  function request(op: string, data: unknown, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (ended || socket.readyState !== 1 /* OPEN */)
        return reject(new ParleyError({ code: 'network', detail: 'Not connected.' }));
      const id = nextId++;
      const timer = input.clock.after(timeoutMs, () => {
        waiting.delete(id);
        reject(new ParleyError({ code: 'timeout', detail: 'The server did not answer in time.' }));
      });
      waiting.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ id, op, data }));
    });
  }

  return {
    name: 'websocket',
    request,
    probe: () => void request('ping', {}, 8000).catch(() => undefined),
    close: () => {
      end({ why: 'closed', retryAfterMs: 0, reached: opened });
      socket.close(1000);
    },
  };
}
