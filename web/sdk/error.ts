// One kind of error for everything that goes wrong between a client and its server, so that an app
// decides by `code` and shows `message`.
import type { FieldProblem, Problem } from './types';

export class ParleyError extends Error {
  /** HTTP status; 0 when no answer came (network, time-out, closed). */
  readonly status: number;
  /** Stable word from the API reference, or 'network', 'timeout', 'closed', 'bad_answer'. */
  readonly code: string;
  /** What is wrong with which field, for answers about bad input. */
  readonly fields: readonly FieldProblem[];
  readonly correlationId: string | undefined;
  /** How long the server asks to wait, or 0. */
  readonly retryAfterMs: number;

  constructor(problem: Partial<Problem> & { code: string }, retryAfterMs = 0) {
    super(problem.detail || problem.title || problem.code);
    this.name = 'ParleyError';
    this.status = problem.status ?? 0;
    this.code = problem.code;
    this.fields = problem.errors ?? [];
    this.correlationId = problem.correlation_id;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same request may succeed later without anybody changing anything. */
  get transient(): boolean {
    return this.status === 0
      ? this.code !== 'closed'
      : this.status === 429 || this.status === 408 || this.status >= 500;
  }

  /** The sentence about one field, if there is one. */
  field(name: string): string | undefined {
    return this.fields.find((entry) => entry.field === name)?.detail;
  }
}

/** Reads the problem out of an answer; answers that are none (a proxy's page) get a code too. */
export async function errorFromAnswer(answer: Response): Promise<ParleyError> {
  const after = Number(answer.headers.get('retry-after'));
  const retryAfterMs = Number.isFinite(after) && after > 0 ? Math.min(after, 3600) * 1000 : 0;
  let problem: Partial<Problem> = {};
  try {
    const body: unknown = await answer.json();
    if (body !== null && typeof body === 'object') problem = body as Partial<Problem>;
  } catch {
    // Not JSON: the status alone has to do.
  }
  return new ParleyError(
    {
      ...problem,
      status: answer.status,
      code: typeof problem.code === 'string' ? problem.code : `http_${answer.status}`,
      correlation_id: problem.correlation_id ?? answer.headers.get('x-correlation-id') ?? undefined,
      errors: Array.isArray(problem.errors) ? problem.errors : [],
    },
    retryAfterMs,
  );
}
