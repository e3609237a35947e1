// Keeps one stream of events alive: chooses a transport, resumes at the last position, waits longer
// after each failure, notices silence, renews the sign-in. Whoever listens sees every durable event
// once, in order per chat, or a `resync` that says "load again".
//
//   idle ── start ──▶ connecting ── ready ──▶ open
//                        ▲  │ failure           │ lost
//                        │  ▼                   ▼
//                        └─ waiting ◀───────────┘        stop, or the session's end: idle
//
// Only #move changes the state.
import { backoffMs, type Clock, type Timer } from './clock';
import { Emitter } from './emitter';
import { ParleyError } from './error';
import type { Http } from './http';
import type { SessionKeeper } from './session';
import type { Ending, OpenTransport, Transport, TransportInput, TransportName } from './transport';
import { openPolling } from './transport_poll';
import { openSse } from './transport_sse';
import { openWebSocket } from './transport_ws';
import type { Position, ServerEvent, ServerEvents } from './types';

export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting';

export interface ConnectionEvents extends ServerEvents {
  /** Every event, before its own listeners. */
  '*': ServerEvent;
  state: ConnectionState;
  /** These topics are listened to from now on: what changed before may have been missed. */
  watching: { topics: readonly string[] };
  /** These cannot be watched on this transport: load again what is looked at, now and then. */
  refetch: { topics: readonly string[] };
}

const openers: Record<TransportName, OpenTransport> = {
  websocket: openWebSocket,
  sse: openSse,
  polling: openPolling,
};

const READY_WITHIN_MS = 10_000;
/** Failures of one transport, with the server in reach, before the next one is tried. */
const PATIENCE = 2;
/** A lesser transport is given up after this long, to see whether a better one works again. */
const UPGRADE_AFTER_MS = 5 * 60_000;
/** As the server has it. */
const WATCHED_MAX = 20;
/** Moving about changes what is watched several times at once: said once, a little later. */
const WATCH_SETTLE_MS = 60;
/** Server-sent events are opened anew for it: only once the reader has come to rest. */
const WATCH_SETTLE_SSE_MS = 1500;
const REFETCH_EVERY_MS = 15_000;

export interface ConnectionOptions {
  transports: TransportName[];
  makeSocket: TransportInput['makeSocket'];
}

export class Connection {
  readonly events = new Emitter<ConnectionEvents>();
  state: ConnectionState = 'idle';
  pos: Position | undefined;
  #transport: Transport | undefined;
  #order: TransportName[];
  #choice = 0;
  #failures = 0; // in a row, whatever the transport: decides the wait
  #strikes = 0; // of the chosen transport: decides its replacement
  #refusals = 0;
  #heartbeatMs = 25_000;
  #timer: Timer | undefined; // next attempt, or the limit of the present one
  #silence: Timer | undefined;
  #upgrade: Timer | undefined;
  #watched: readonly string[] = [];
  #watchRefused: readonly string[] | undefined;
  #watchTimer: Timer | undefined; // until a change is said, or until the next "refetch"
  #upgradeAt = 0; // steady clock; counts on through reconnections
  #round = 0; // an attempt that was overtaken must not touch anything

  constructor(
    private readonly http: Http,
    private readonly session: SessionKeeper,
    private readonly clock: Clock,
    private readonly options: ConnectionOptions,
  ) {
    this.#order = options.transports.filter((name) => name !== 'websocket' || options.makeSocket);
    session.events.on('signedOut', () => this.stop());
    session.events.on('token', (token) => this.#renewed(token));
  }

  get transport(): TransportName | null {
    return this.state === 'open' ? this.#transport!.name : null;
  }

  start(): void {
    if (this.state === 'idle') void this.#connect();
  }

  /** Forgets the position too: the next start begins at the present. */
  stop(): void {
    this.#drop();
    this.pos = undefined;
    this.#watched = [];
    this.#failures = this.#strikes = this.#choice = this.#refusals = 0;
    this.#move('idle');
  }

  /** The network may be back, or the page is looked at again: find out now, not in a while. */
  poke(): void {
    if (this.state === 'waiting') {
      this.#failures = 0;
      void this.#connect();
    } else if (this.state === 'open' && this.#transport!.probe) this.#probe(4000);
  }

  /** Calls an op over the socket; rejects with 'network' where there is none. */
  async request<T>(op: string, data: unknown, timeoutMs = 10_000): Promise<T> {
    if (this.state !== 'open' || !this.#transport?.request)
      throw new ParleyError({ code: 'network', detail: 'Not connected.' });
    return (await this.#transport.request(op, data, timeoutMs)) as T;
  }

  get canRequest(): boolean {
    return this.state === 'open' && this.#transport?.request !== undefined;
  }

  /**
   * What is looked at ("post:<id>", "signals"): its events come from now on, and those of nothing
   * else; at most twenty topics, the first ones count. Kept over reconnections. `watching` tells
   * when the server listens, and is the moment to load again what may have changed before.
   */
  watch(topics: readonly string[]): void {
    const next = [...new Set(topics)].slice(0, WATCHED_MAX);
    if (next.join() === this.#watched.join()) return;
    this.#watched = next;
    this.#watchTimer?.cancel();
    const settle = this.transport === 'sse' ? WATCH_SETTLE_SSE_MS : WATCH_SETTLE_MS;
    this.#watchTimer = this.clock.after(settle, () => this.#sayWatched(false));
  }

  /** fresh: the transport has just opened, and knows what it was opened with. */
  #sayWatched(fresh: boolean): void {
    this.#watchTimer?.cancel();
    if (this.state !== 'open') return;
    const topics = this.#watched;
    const name = this.#transport!.name;
    if (name === 'websocket') {
      if (fresh && topics.length === 0) return;
      this.request('watch', { topics }).then(
        () => topics === this.#watched && this.events.emit('watching', { topics }),
        () => undefined, // the socket is gone (and the next one is told), or there is no such op
      );
    } else if (name === 'sse' && !fresh) void this.#connect();
    else if (topics.length > 0) {
      this.events.emit('watching', { topics });
      if (name === 'polling' || topics === this.#watchRefused) this.#refetchLater();
    }
  }

  #refetchLater(): void {
    this.#watchTimer = this.clock.after(REFETCH_EVERY_MS, () => {
      if (this.state !== 'open' || this.#watched.length === 0) return;
      this.events.emit('refetch', { topics: this.#watched });
      this.#refetchLater();
    });
  }

  #move(state: ConnectionState): void {
    if (this.state === state) return;
    this.state = state;
    this.events.emit('state', state);
  }

  #drop(): void {
    this.#round++;
    for (const timer of [this.#timer, this.#silence, this.#upgrade, this.#watchTimer])
      timer?.cancel();
    this.#transport?.close();
    this.#transport = undefined;
  }

  async #connect(): Promise<void> {
    this.#drop();
    const round = this.#round;
    this.#move('connecting');
    let token: string;
    try {
      token = await this.session.token();
    } catch (problem) {
      // Over: the session's own event has stopped us. Anything else: wait like for a lost network.
      if (round !== this.#round) return;
      const wait = problem instanceof ParleyError ? problem.retryAfterMs : 0;
      return this.#wait({ why: 'lost', retryAfterMs: wait, reached: false });
    }
    if (round !== this.#round) return;
    const mine = (fn: () => void): void => {
      if (round === this.#round) fn();
    };
    this.#timer = this.clock.after(READY_WITHIN_MS, () => mine(() => this.#silent()));
    try {
      this.#transport = openers[this.#order[this.#choice]!]({
        http: this.http,
        clock: this.clock,
        token,
        pos: this.pos,
        watched: this.#watchRefused === this.#watched ? [] : this.#watched,
        makeSocket: this.options.makeSocket,
        onEvent: (event) => mine(() => this.#take(event)),
        onPosition: (pos) => mine(() => (this.pos = pos)),
        onAlive: () => mine(() => this.#alive()),
        onEnd: (ending) => mine(() => void this.#ended(ending)),
      });
    } catch {
      this.#wait({ why: 'lost', retryAfterMs: 0, reached: true });
    }
  }

  #take(event: ServerEvent): void {
    if (event.event === 'ready') this.#opened(event as ServerEvent<'ready'>);
    // First the listeners, then the position: an event counts as seen once it was handed over.
    this.events.emit('*', event);
    this.events.emit(event.event, event.data as never);
    if (event.pos !== undefined) this.pos = event.pos;
  }

  #opened(event: ServerEvent<'ready'>): void {
    const heartbeat = event.data.heartbeat;
    if (heartbeat && heartbeat > 0) this.#heartbeatMs = heartbeat * 1000;
    this.#timer?.cancel();
    this.#failures = this.#strikes = this.#refusals = 0;
    if (this.#choice > 0)
      this.#upgrade = this.clock.after(Math.max(this.#upgradeAt - this.clock.steady(), 0), () => {
        this.#choice = 0;
        void this.#connect();
      });
    if (event.pos !== undefined) this.pos ??= event.pos;
    this.#move('open');
    this.#sayWatched(true);
    this.#alive();
  }

  /** Restarts the watch: silence for longer than a heartbeat is asked about, then acted upon. */
  #alive(): void {
    if (this.state !== 'open') return;
    this.#silence?.cancel();
    const name = this.#transport!.name;
    if (name === 'polling') return; // its requests have time-outs of their own
    if (name === 'sse')
      this.#silence = this.clock.after(this.#heartbeatMs * 2.5, () => this.#silent());
    else this.#silence = this.clock.after(this.#heartbeatMs, () => this.#probe(8000));
  }

  #probe(limitMs: number): void {
    this.#silence?.cancel();
    this.#silence = this.clock.after(limitMs, () => this.#silent());
    this.#transport!.probe?.();
  }

  #silent(): void {
    void this.#ended({ why: 'lost', retryAfterMs: 0, reached: false });
  }

  async #ended(ending: Ending): Promise<void> {
    const wasOpen = this.state === 'open';
    if (ending.why === 'bad_position') {
      this.pos = undefined;
      this.events.emit('resync', {});
    }
    if (ending.why === 'bad_watch') {
      this.#watchRefused = this.#watched;
      return void this.#connect();
    }
    // An open stream that ends says nothing against its transport.
    if (wasOpen && (ending.why === 'lost' || ending.why === 'slow')) return this.#wait(ending, 0);
    if (ending.why === 'refused' || ending.why === 'revoked') return this.#signInAgain(ending);
    if (!wasOpen && ending.why === 'lost') await this.#strike(ending);
    else this.#wait(ending);
  }

  async #signInAgain(ending: Ending): Promise<void> {
    this.#drop();
    const round = this.#round;
    this.#move('waiting');
    // A fresh token that is refused again and again is no matter of renewing.
    if (++this.#refusals > 2) return this.#wait(ending);
    await this.session.renew().catch(() => undefined);
    if (round === this.#round) void this.#connect();
  }

  /** A transport that fails while the server answers otherwise is replaced by the next one. */
  async #strike(ending: Ending): Promise<void> {
    if (++this.#strikes < PATIENCE || this.#choice + 1 >= this.#order.length) {
      if (this.#strikes >= PATIENCE) this.#choice = this.#strikes = 0;
      return this.#wait(ending);
    }
    this.#drop();
    const round = this.#round;
    this.#move('waiting');
    const there = await this.http
      .call('/users/me', { retries: 0, timeoutMs: 5000 })
      .then(() => true)
      .catch(
        (problem: unknown) =>
          problem instanceof ParleyError && problem.status >= 400 && problem.status < 500,
      );
    if (round !== this.#round) return;
    if (!there) {
      this.#choice = this.#strikes = 0;
      return this.#wait(ending);
    }
    this.#choice++;
    this.#upgradeAt = this.clock.steady() + UPGRADE_AFTER_MS;
    this.#strikes = 0;
    void this.#connect();
  }

  #wait(ending: Ending, attempt = this.#failures): void {
    this.#drop();
    this.#failures++;
    // After a restart of the server everybody comes back at once: hence the spread even at first.
    const wait = Math.max(
      ending.retryAfterMs * (1 + this.clock.random() * 0.2),
      backoffMs(this.clock, attempt),
    );
    this.#timer = this.clock.after(wait, () => void this.#connect());
    this.#move('waiting');
  }

  /** Tells an open socket of the new token, so that it outlives the old one. */
  #renewed(token: string): void {
    if (!this.canRequest) return;
    this.request('auth', { access_token: token }).catch(() => {
      // A server that does not take it closes the socket in its own time, and we come back.
    });
  }
}
