// Who is signed in: the access token in memory, its renewal before it runs out, one renewal at a
// time however many calls wait for it. The refresh token is either in an HttpOnly cookie that only
// the server sees (browser apps on the server's own origin), or in a storage that the app gives.
//
// Times are taken from expires_in and this machine's clocks alone, so a wrong clock here or there
// does no harm. Two clocks are asked because the steady one may stand still while a laptop sleeps.
import { sleep, backoffMs, type Clock, type Timer } from './clock';
import { Emitter } from './emitter';
import { ParleyError } from './error';
import type { TokenAnswer, User } from './types';

/** Where an app that is not on the server's origin keeps the refresh token. */
export interface TokenStorage {
  load(): string | null | Promise<string | null>;
  save(token: string | null): void | Promise<void>;
}

export interface SessionEvents {
  /** A new access token is there (signed in, or renewed). */
  token: string;
  signedIn: User;
  /** The server has ended the session, or the person has. */
  signedOut: { reason: 'requested' | 'ended' };
}

/** Posts to an auth path without a token and gives the answer. */
export type Poster = (path: string, body: unknown) => Promise<TokenAnswer>;

export class SessionKeeper {
  readonly events = new Emitter<SessionEvents>();
  user: User | null = null;
  #token: string | null = null;
  #wallUntil = 0;
  #steadyUntil = 0;
  #timer: Timer | undefined;
  #renewal: Promise<string> | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly post: Poster,
    private readonly storage: TokenStorage | null,
  ) {}

  get signedIn(): boolean {
    return this.#token !== null;
  }

  /** Takes the answer of sign-up, sign-in or renewal. */
  async accept(answer: TokenAnswer): Promise<void> {
    const wasSignedIn = this.signedIn;
    const life = Math.max(answer.expires_in, 10) * 1000;
    this.#token = answer.access_token;
    this.#wallUntil = this.clock.wall() + life - 5000;
    this.#steadyUntil = this.clock.steady() + life - 5000;
    this.user = answer.user ?? this.user;
    if (this.storage && answer.refresh_token) await this.storage.save(answer.refresh_token);
    this.#timer?.cancel();
    // Between 70 and 80 % of its life: early enough for a slow network, apart from other tabs.
    const wait = life * (0.7 + this.clock.random() * 0.1);
    this.#timer = this.clock.after(wait, () => void this.renew().catch(() => undefined));
    this.events.emit('token', answer.access_token);
    if (!wasSignedIn && this.user) this.events.emit('signedIn', this.user);
  }

  /** A token that is good for a while, renewed first when it is not. */
  async token(): Promise<string> {
    const fresh = this.clock.wall() < this.#wallUntil && this.clock.steady() < this.#steadyUntil;
    return this.#token !== null && fresh ? this.#token : this.renew();
  }

  /** The server has refused this very token: renew, unless that has happened meanwhile. */
  async afterRefusal(refused: string): Promise<string> {
    if (this.#token !== null && this.#token !== refused) return this.#token;
    return this.renew();
  }

  /** Single flight: all callers share one renewal. Rejects with 401 when the session is over. */
  renew(): Promise<string> {
    this.#renewal ??= this.#renewNow().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #renewNow(): Promise<string> {
    const stored = this.storage ? await this.storage.load() : null;
    if (this.storage && !stored)
      throw new ParleyError({ code: 'not_signed_in', status: 401, detail: 'Nobody is signed in.' });
    const body = stored ? { refresh_token: stored } : {};
    for (let attempt = 0; ; attempt++) {
      try {
        await this.accept(await this.post('/auth/refresh', body));
        return this.#token!;
      } catch (problem) {
        if (!(problem instanceof ParleyError)) throw problem;
        if (!problem.transient) {
          if (problem.status === 401 || problem.status === 403) this.forget('ended');
          throw problem;
        }
        // The session may well be alive: the caller hears of it, the schedule tries on.
        if (attempt >= 2) {
          this.#retryLater();
          throw problem;
        }
        await sleep(this.clock, problem.retryAfterMs || backoffMs(this.clock, attempt));
      }
    }
  }

  #retryLater(): void {
    if (!this.signedIn) return;
    this.#timer?.cancel();
    this.#timer = this.clock.after(15_000, () => void this.renew().catch(() => undefined));
  }

  forget(reason: 'requested' | 'ended'): void {
    const had = this.signedIn;
    this.#token = null;
    this.user = null;
    this.#timer?.cancel();
    if (this.storage) void this.storage.save(null);
    if (had) this.events.emit('signedOut', { reason });
  }
}
