// Long polling: the last resort, for networks that let only plain, finished answers through.
import { errorFromAnswer } from './error';
import { endingOfProblem } from './transport_sse';
import type { Ending, Transport, TransportInput } from './transport';
import type { Position, Ready, ServerEvent } from './types';

interface Updates {
  items: ServerEvent[];
  pos: Position;
}

/** Seconds the server may hold an answer back; it must end before proxies lose patience. */
const HOLD_SECONDS = 25;

export function openPolling(input: TransportInput): Transport {
  const abort = new AbortController();
  let pos = input.pos;
  let ready = false;
  let ended = false;

  function end(ending: Ending): void {
    if (ended) return;
    ended = true;
    abort.abort();
    if (ending.why !== 'closed') input.onEnd(ending);
  }

  async function poll(): Promise<Updates> {
    // The first answer must come quickly: only then is it known that this way works.
    const hold = ready ? HOLD_SECONDS : 1;
    const answer = await input.http.raw(
      'GET',
      '/updates',
      {
        query: { pos, timeout: pos === undefined ? undefined : hold },
        signal: abort.signal,
        timeoutMs: (hold + 10) * 1000,
      },
      input.token,
    );
    if (!answer.ok) throw await errorFromAnswer(answer);
    return (await answer.json()) as Updates;
  }

  async function run(): Promise<void> {
    while (!ended) {
      const updates = await poll();
      if (ended) return;
      input.onAlive();
      if (!ready) {
        ready = true;
        if (updates.items[0]?.event !== 'ready')
          input.onEvent({ event: 'ready', pos: pos ?? updates.pos, data: {} as Ready });
      }
      for (const event of updates.items) if (!ended) input.onEvent(event);
      pos = updates.pos;
      if (!ended) input.onPosition(pos);
    }
  }

  run().catch((problem: unknown) => end(endingOfProblem(problem)));
  return {
    name: 'polling',
    close: () => end({ why: 'closed', retryAfterMs: 0, reached: true }),
  };
}
