// Messages on their way out. Each has a client_id for life, so however often it is tried, on
// whatever transport, the server makes one message of it; and it is tried until the server has
// taken or refused it. Within a chat they leave one after the other, so their order holds.
//
// With a storage, what is unsent survives the end of the page. It is kept per person, and may be
// shared by several pages, also where one sees late what another has written: each message is put
// and removed by itself, and when two pages send the same one the server makes one of it.
import { backoffMs, sleep, type Clock } from './clock';
import type { Connection } from './connection';
import { Emitter } from './emitter';
import { ParleyError } from './error';
import type { Http } from './http';
import { uuidv7 } from './ids';
import type { Id, Message } from './types';

export interface OutgoingMessage {
  client_id: string;
  chat_id: Id;
  text: string;
  reply_to?: number;
  /** When it was written, by this machine's clock. */
  created_at: string;
  state: 'queued' | 'sending' | 'failed';
  /** Why the server refused it; the person decides to retry or discard. */
  problem?: ParleyError;
}

/** Called with the id of the person who wrote the messages: nobody else may be given them. */
export interface OutboxStorage {
  /** What was put and not removed, in any order. */
  load(userId: Id): OutgoingMessage[];
  /** Replaces the one of the same client_id, and touches no other. */
  put(message: OutgoingMessage, userId: Id): void;
  remove(clientId: string, userId: Id): void;
}

export interface OutboxEvents {
  changed: OutgoingMessage;
  sent: { outgoing: OutgoingMessage; message: Message };
  discarded: OutgoingMessage;
}

export class Outbox {
  readonly events = new Emitter<OutboxEvents>();
  #messages: OutgoingMessage[] = [];
  #busy = new Set<Id>();
  #wake = new Set<() => void>();
  #stopped = false;
  #userId: Id | null = null; // whose messages these are

  constructor(
    private readonly http: Http,
    private readonly connection: Connection,
    private readonly clock: Clock,
    private readonly storage: OutboxStorage | null,
    private readonly whoIsThere: () => Id | null,
  ) {
    connection.events.on('state', (state) => {
      if (state === 'open') for (const wake of [...this.#wake]) wake();
    });
    connection.events.on('message.sent', (message) => this.#seen(message));
  }

  /** Takes up what an earlier page left behind; for the person who is signed in now. */
  restore(): void {
    this.#begin();
    const inOrder = this.#load().sort((a, b) => (a.client_id < b.client_id ? -1 : 1));
    for (const kept of inOrder) {
      if (this.#messages.some((known) => known.client_id === kept.client_id)) continue;
      this.#messages.push({ ...kept, state: kept.state === 'failed' ? 'failed' : 'queued' });
      void this.#run(kept.chat_id);
    }
  }

  /** Signed out: nothing more is sent, nothing of this person's is remembered. */
  clear(): void {
    this.#stopped = true;
    this.#messages = [];
    for (const kept of this.#load()) this.#forget(kept);
    this.#userId = null;
    for (const wake of [...this.#wake]) wake();
  }

  list(chatId?: Id): readonly OutgoingMessage[] {
    return this.#messages.filter((entry) => !chatId || entry.chat_id === chatId);
  }

  add(chatId: Id, text: string, options: { reply_to?: number } = {}): OutgoingMessage {
    const now = this.clock.wall();
    const entry: OutgoingMessage = {
      client_id: uuidv7(now),
      chat_id: chatId,
      text,
      created_at: new Date(now).toISOString(),
      state: 'queued',
      ...(options.reply_to === undefined ? {} : { reply_to: options.reply_to }),
    };
    this.#begin();
    this.#messages.push(entry);
    this.#keep(entry);
    void this.#run(chatId);
    return entry;
  }

  retry(clientId: string): void {
    const entry = this.#messages.find((known) => known.client_id === clientId);
    if (entry?.state !== 'failed') return;
    delete entry.problem;
    this.#set(entry, 'queued');
    this.#keep(entry);
    void this.#run(entry.chat_id);
  }

  discard(clientId: string): void {
    const entry = this.#messages.find((known) => known.client_id === clientId);
    if (!entry) return;
    this.#remove(entry);
    this.events.emit('discarded', entry);
  }

  async #run(chatId: Id): Promise<void> {
    if (this.#busy.has(chatId)) return;
    this.#busy.add(chatId);
    let attempt = 0;
    for (;;) {
      const entry = this.#messages.find((one) => one.chat_id === chatId && one.state !== 'failed');
      if (!entry || this.#stopped) break;
      this.#set(entry, 'sending');
      try {
        this.#done(entry, await this.#send(entry));
        attempt = 0;
      } catch (problem) {
        const known =
          problem instanceof ParleyError
            ? problem
            : new ParleyError({ code: 'bad_answer', detail: String(problem) });
        if (!this.#messages.includes(entry)) continue;
        // 401: the session is being renewed or has ended; the message is not to blame.
        if (known.transient || known.status === 401) {
          this.#set(entry, 'queued');
          await this.#pause(known.retryAfterMs || backoffMs(this.clock, attempt++));
        } else {
          entry.problem = known;
          this.#set(entry, 'failed');
          this.#keep(entry);
        }
      }
    }
    this.#busy.delete(chatId);
  }

  /** Over the socket where there is one; plain HTTP otherwise, or when the socket just died. */
  async #send(entry: OutgoingMessage): Promise<Message> {
    const body = {
      text: entry.text,
      client_id: entry.client_id,
      ...(entry.reply_to === undefined ? {} : { reply_to: entry.reply_to }),
    };
    if (this.connection.canRequest)
      return this.connection.request<Message>('chat.send', { chat_id: entry.chat_id, ...body });
    return this.http.call<Message>(`/chats/${entry.chat_id}/messages`, { method: 'POST', body });
  }

  /** Waits, but no longer than until the connection is back. */
  async #pause(ms: number): Promise<void> {
    const abort = new AbortController();
    const wake = (): void => abort.abort();
    this.#wake.add(wake);
    await sleep(this.clock, ms, abort.signal);
    this.#wake.delete(wake);
  }

  /** The event may come before the answer, or instead of one that was lost. */
  #seen(message: Message): void {
    const entry = this.#messages.find((one) => one.client_id === message.client_id);
    if (entry) this.#done(entry, message);
  }

  #done(entry: OutgoingMessage, message: Message): void {
    if (!this.#messages.includes(entry)) return;
    this.#remove(entry);
    this.events.emit('sent', { outgoing: entry, message });
  }

  #set(entry: OutgoingMessage, state: OutgoingMessage['state']): void {
    entry.state = state;
    this.events.emit('changed', entry);
  }

  #remove(entry: OutgoingMessage): void {
    this.#messages = this.#messages.filter((one) => one !== entry);
    this.#forget(entry);
  }

  #begin(): void {
    this.#stopped = false;
    this.#userId = this.whoIsThere();
  }

  #load(): OutgoingMessage[] {
    return this.#userId === null ? [] : (this.storage?.load(this.#userId) ?? []);
  }

  #keep({ problem: _, ...entry }: OutgoingMessage): void {
    if (this.#userId !== null) this.storage?.put(entry, this.#userId);
  }

  #forget(entry: OutgoingMessage): void {
    if (this.#userId !== null) this.storage?.remove(entry.client_id, this.#userId);
  }
}
