// The client: one object per signed-in person, with the server's areas as its parts.
import { systemClock, type Clock } from './clock';
import { Connection, type ConnectionEvents } from './connection';
import type { Off } from './emitter';
import { Http, type CallOptions, type Fetch } from './http';
import { Outbox, type OutboxStorage, type OutgoingMessage } from './outbox';
import {
  accountCalls,
  chatCalls,
  messageCalls,
  presenceCalls,
  sessionCalls,
  userCalls,
} from './calls';
import { adminCalls } from './calls_admin';
import {
  commentCalls,
  eventCalls,
  postCalls,
  signalCalls,
  socialCalls,
  storyCalls,
} from './calls_social';
import { SessionKeeper, type TokenStorage } from './session';
import type { TransportName } from './transport';
import type { Id, PendingAnswer, SignIn, SignUp, TokenAnswer, User } from './types';

export interface ParleyOptions {
  /** The server's origin, such as 'https://chat.example.org'. Default: the page's own. */
  server?: string;
  /** Where the refresh token lives. Default: an HttpOnly cookie, on the server's origin only. */
  tokenStorage?: TokenStorage;
  /** Keeps unsent messages over a reload. Default: none. */
  outboxStorage?: OutboxStorage;
  /** In order of preference. Default: all three. */
  transports?: TransportName[];
  /** For tests and for runtimes without the globals. */
  fetch?: Fetch;
  makeSocket?: (url: string, protocols: string[]) => WebSocket;
  clock?: Clock;
}

export class Parley {
  readonly http: Http;
  readonly session: SessionKeeper;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly account;
  readonly users;
  readonly chats;
  readonly messages;
  readonly presence;
  readonly sessions;
  readonly social;
  readonly posts;
  readonly comments;
  readonly stories;
  readonly events;
  readonly signals;
  readonly admin;
  readonly #cookie: boolean;

  constructor(options: ParleyOptions = {}) {
    const clock = options.clock ?? systemClock;
    const server = (options.server ?? '').replace(/\/+$/, '');
    this.#cookie = options.tokenStorage === undefined;
    this.http = new Http(server, options.fetch ?? ((url, init) => fetch(url, init)), clock);
    this.session = new SessionKeeper(
      clock,
      (path, body) => this.#postAuth(path, body),
      options.tokenStorage ?? null,
    );
    this.http.session = this.session;
    this.connection = new Connection(this.http, this.session, clock, {
      transports: options.transports ?? ['websocket', 'sse', 'polling'],
      makeSocket:
        options.makeSocket ??
        (typeof WebSocket === 'undefined'
          ? undefined
          : (url, protocols) => new WebSocket(url, protocols)),
    });
    this.outbox = new Outbox(
      this.http,
      this.connection,
      clock,
      options.outboxStorage ?? null,
      () => this.session.user?.id ?? null,
    );
    // The next person to sign in here must not send what this one wrote.
    this.session.events.on('signedOut', () => this.outbox.clear());
    this.account = accountCalls(this.http);
    this.users = userCalls(this.http);
    this.chats = chatCalls(this.http, this.connection);
    this.messages = messageCalls(this.http, this.connection);
    this.presence = presenceCalls(this.http, this.connection);
    this.sessions = sessionCalls(this.http);
    this.social = socialCalls(this.http);
    this.posts = postCalls(this.http);
    this.comments = commentCalls(this.http);
    this.stories = storyCalls(this.http);
    this.events = eventCalls(this.http);
    this.signals = signalCalls(this.http);
    this.admin = adminCalls(this.http);
  }

  /** Resolves to the new person, or to 'pending' when the server needs longer: then sign in. */
  async signUp(input: SignUp): Promise<User | 'pending'> {
    const answer = await this.#postAuth<TokenAnswer | PendingAnswer>('/auth/signup', input);
    if (!('access_token' in answer)) return 'pending';
    await this.session.accept(answer);
    return answer.user;
  }

  async signIn(input: SignIn): Promise<User> {
    const answer = await this.#postAuth<TokenAnswer>('/auth/login', input);
    await this.session.accept(answer);
    return answer.user;
  }

  /** Takes up an earlier sign-in; null when there is none (any more). */
  async resume(): Promise<User | null> {
    try {
      await this.session.renew();
      return this.session.user;
    } catch (problem) {
      if ((problem as { status?: number }).status === 401) return null;
      throw problem;
    }
  }

  /** Signs out here; the server is told if it can be reached. */
  async signOut(): Promise<void> {
    this.connection.stop();
    this.outbox.clear();
    try {
      await this.http.call('/auth/logout', { method: 'POST' });
    } catch {
      // Out is out: without the server's word the refresh token dies of age.
    }
    this.session.forget('requested');
  }

  /** Starts the stream of events. */
  connect(): void {
    this.outbox.restore();
    this.connection.start();
  }

  on<N extends keyof ConnectionEvents>(name: N, fn: (data: ConnectionEvents[N]) => void): Off {
    return this.connection.events.on(name, fn);
  }

  /** Says what is looked at: see Connection.watch. */
  watch(topics: readonly string[]): void {
    this.connection.watch(topics);
  }

  /** Hands a message over for sending; it will be sent once, however often that takes. */
  send(chatId: Id, text: string, options: { reply_to?: number } = {}): OutgoingMessage {
    return this.outbox.add(chatId, text, options);
  }

  /** Any call that has no method of its own here. path starts below /api/v1. */
  call<T>(path: string, options?: CallOptions): Promise<T> {
    return this.http.call<T>(path, options);
  }

  #postAuth<T = TokenAnswer>(path: string, body: unknown): Promise<T> {
    return this.http.call<T>(path, {
      method: 'POST',
      body,
      signedIn: false,
      ...(this.#cookie ? { headers: { 'x-parley-cookie': 'refresh' } } : {}),
    });
  }
}
