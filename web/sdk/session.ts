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
  /** The person has ended the session, or the server; or somebody else has signed in here. */
  signedOut: { reason: SignedOutReason };
}

export type SignedOutReason = 'requested' | 'ended' | 'replaced';

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
  #epoch = 0;

  constructor(
    private readonly clock: Clock,
    private readonly post: Poster,
    private readonly storage: TokenStorage | null,
  ) {}

  get signedIn(): boolean {
    return this.#token !== null;
  }

  /** Another number once this session is over: what belongs to it must not go on in the next. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Takes the answer of sign-up, sign-in or renewal. */
  async accept(answer: TokenAnswer): Promise<void> {
    if (this.#another(answer)) this.forget('replaced');
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
    if (this.#renewal) return this.#renewal;
    const renewal = this.#renewNow().finally(() => {
      if (this.#renewal === renewal) this.#renewal = undefined;
    });
    this.#renewal = renewal;
    return renewal;
  }

  async #renewNow(): Promise<string> {
    const epoch = this.#epoch;
    const stored = this.storage ? await this.storage.load() : null;
    if (this.storage && !stored) throw over('not_signed_in', 'Nobody is signed in.');
    const body = stored ? { refresh_token: stored } : {};
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await this.post('/auth/refresh', body);
        // Signed out while it was on its way: it must not sign anybody in again.
        if (epoch !== this.#epoch) throw over();
        // The cookie is another person's by now, who has signed in in another window.
        if (this.#another(answer)) {
          if (this.storage && answer.refresh_token) await this.storage.save(answer.refresh_token);
          this.forget('replaced');
          throw over();
        }
        await this.accept(answer);
        return this.#token!;
      } catch (problem) {
        if (!(problem instanceof ParleyError)) throw problem;
        if (epoch !== this.#epoch) throw over();
        if (!problem.transient) {
          // Refused for whatever reason (a cookie that is gone is a missing field): it is over.
          if (problem.status < 400) throw problem;
          this.forget('ended');
          throw problem.status === 401 ? problem : over(problem.code, problem.message);
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

  #another(answer: TokenAnswer): boolean {
    return this.user !== null && answer.user !== undefined && answer.user.id !== this.user.id;
  }

  forget(reason: SignedOutReason): void {
    const had = this.signedIn;
    this.#epoch++;
    this.#renewal = undefined;
    this.#token = null;
    this.user = null;
    this.#timer?.cancel();
    // What is stored belongs to whoever is there now.
    if (this.storage && reason !== 'replaced') void this.storage.save(null);
    if (had) this.events.emit('signedOut', { reason });
  }
}

const over = (code = 'session_over', detail = 'The session has ended.'): ParleyError =>
  new ParleyError({ code, status: 401, detail });
