// Server-sent events, read with fetch instead of EventSource: so the token goes in a header like
// everywhere else, the server's comments count as signs of life, a refusal can be told from a lost
// network, and it runs outside browsers too. (EventSource users ask for a ticket: see sseTicket.)
import { errorFromAnswer, ParleyError } from './error';
import { SseParser } from './sse_parser';
import type { Ending, Transport, TransportInput } from './transport';
import type { ServerEvent } from './types';

/** What an HTTP failure means for a transport; shared with long polling. */
export function endingOfProblem(problem: unknown): Ending {
  if (!(problem instanceof ParleyError) || problem.status === 0)
    return { why: 'lost', retryAfterMs: 0, reached: false };
  const base = { retryAfterMs: problem.retryAfterMs, reached: true };
  if (problem.status === 401) return { ...base, why: 'refused' };
  if (problem.code === 'invalid_pos') return { ...base, why: 'bad_position' };
  return { ...base, why: problem.status === 429 || problem.status === 503 ? 'busy' : 'lost' };
}

export function openSse(input: TransportInput): Transport {
  const abort = new AbortController();
  let ended = false;

  function end(ending: Ending): void {
    if (ended) return;
    ended = true;
    abort.abort();
    if (ending.why !== 'closed') input.onEnd(ending);
  }

  async function run(): Promise<void> {
    const answer = await input.http.raw(
      'GET',
      '/stream',
      {
        query: { pos: input.pos, watch: input.watched.join(',') || undefined },
        headers: { accept: 'text/event-stream' },
        signal: abort.signal,
        timeoutMs: 10_000,
      },
      input.token,
    );
    if (!answer.ok || !answer.body) throw await errorFromAnswer(answer);
    input.onAlive();
    const parser = new SseParser((event) => {
      const data = JSON.parse(event.data) as ServerEvent['data'];
      if (!ended) input.onEvent({ event: event.event, pos: event.id, data } as ServerEvent);
    });
    const decoder = new TextDecoder();
    const reader = answer.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || ended) break;
      input.onAlive();
      parser.feed(decoder.decode(value, { stream: true }));
    }
    end({ why: 'lost', retryAfterMs: 0, reached: true });
  }

  run().catch((problem: unknown) => {
    const ending = endingOfProblem(problem);
    const refused = problem instanceof ParleyError && problem.status >= 400 && problem.status < 500;
    const ours = refused && ending.why === 'lost' && input.watched.length > 0;
    end(ours ? { ...ending, why: 'bad_watch' } : ending);
  });
  return {
    name: 'sse',
    close: () => end({ why: 'closed', retryAfterMs: 0, reached: true }),
  };
}
