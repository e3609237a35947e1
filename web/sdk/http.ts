// One HTTP call: token, JSON both ways, time-out, problems as ParleyError, one renewal when the
// token is refused, and for reads a few tries when the server is busy or away.
import { backoffMs, sleep, type Clock } from './clock';
import { ParleyError, errorFromAnswer } from './error';
import type { SessionKeeper } from './session';

export interface CallOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Default 20 s. */
  timeoutMs?: number;
  /** false: a public call, no token is sent. */
  signedIn?: boolean;
  /** How often a transient failure is tried again; default 2 for GET, otherwise 0. */
  retries?: number;
}

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

export class Http {
  session!: SessionKeeper;

  constructor(
    readonly base: string,
    private readonly fetch: Fetch,
    private readonly clock: Clock,
  ) {}

  /** path starts below /api/v1. Resolves to undefined for an answer without a body. */
  call<T>(path: string, options: CallOptions = {}): Promise<T> {
    return this.#patiently(path, options, (answer) => readJson<T>(answer));
  }

  /** The same, for answers that are no JSON, or are to be kept as they came. */
  text(path: string, options: CallOptions = {}): Promise<string> {
    return this.#patiently(path, options, (answer) => answer.text());
  }

  async #patiently<T>(path: string, options: CallOptions, read: Read<T>): Promise<T> {
    const method = options.method ?? 'GET';
    const retries = options.retries ?? (method === 'GET' ? 2 : 0);
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once<T>(method, path, options, read);
      } catch (problem) {
        const again =
          problem instanceof ParleyError &&
          problem.transient &&
          attempt < retries &&
          !options.signal?.aborted;
        if (!again) throw problem;
        const wait = problem.retryAfterMs || backoffMs(this.clock, attempt);
        if (wait > 20_000) throw problem;
        await sleep(this.clock, wait, options.signal);
      }
    }
  }

  async #once<T>(method: string, path: string, options: CallOptions, read: Read<T>): Promise<T> {
    if (options.signedIn === false) return judge(await this.raw(method, path, options), read);
    const { epoch } = this.session;
    const token = await this.session.token();
    let answer = await this.raw(method, path, options, token);
    // What one person asked for is not asked again in the name of the next.
    if (answer.status === 401 && epoch === this.session.epoch) {
      const next = await this.session.afterRefusal(token);
      answer = await this.raw(method, path, options, next);
    }
    return judge(answer, read);
  }

  /** The bare exchange; also used by the streaming transports. */
  async raw(method: string, path: string, options: CallOptions, token?: string): Promise<Response> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options.query ?? {}))
      if (value !== undefined) query.set(name, String(value));
    const text = query.toString();
    const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
    if (token) headers['authorization'] = `Bearer ${token}`;
    if (options.body !== undefined) headers['content-type'] = 'application/json';
    const abort = new AbortController();
    const onAbort = (): void => abort.abort();
    options.signal?.addEventListener('abort', onAbort);
    if (options.signal?.aborted) abort.abort();
    let late = false;
    const timer = this.clock.after(options.timeoutMs ?? 20_000, () => {
      late = true;
      abort.abort();
    });
    try {
      return await this.fetch(`${this.base}/api/v1${path}${text ? `?${text}` : ''}`, {
        method,
        headers,
        body: options.body === undefined ? undefined : JSON.stringify(options.body),
        signal: abort.signal,
        credentials: 'same-origin',
        cache: 'no-store',
      });
    } catch {
      if (options.signal?.aborted)
        throw new ParleyError({ code: 'closed', detail: 'The call was given up.' });
      throw late
        ? new ParleyError({ code: 'timeout', detail: 'The server did not answer in time.' })
        : new ParleyError({ code: 'network', detail: 'The server cannot be reached.' });
    } finally {
      timer.cancel();
      // A streaming answer stays under the caller's control after its head has come.
      if (!options.headers?.['accept']?.includes('event-stream'))
        options.signal?.removeEventListener('abort', onAbort);
    }
  }
}

type Read<T> = (answer: Response) => Promise<T>;

async function judge<T>(answer: Response, read: Read<T>): Promise<T> {
  if (!answer.ok) throw await errorFromAnswer(answer);
  return read(answer);
}

async function readJson<T>(answer: Response): Promise<T> {
  if (answer.status === 204) return undefined as T;
  try {
    const text = await answer.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  } catch {
    throw new ParleyError({ code: 'bad_answer', detail: 'The answer could not be read.' });
  }
}
