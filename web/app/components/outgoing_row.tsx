// A message that the server does not have yet: on its way, or refused.
import { parley } from '../client';
import { clockTime } from '../format';
import type { Conversation, OutgoingRow as Row } from '../state/conversation';
import { Icon } from './icon';
import { MessageText } from './message_text';
import { Quote } from './message_row';

export function OutgoingRow({ row, conversation }: { row: Row; conversation: Conversation }) {
  const { outgoing, first, last } = row;
  const failed = outgoing.state === 'failed';
  const names = ['message own', first && 'first', last && 'last'].filter(Boolean).join(' ');
  return (
    <div class="row" data-key={row.key} data-state={outgoing.state}>
      <div class={names}>
        <div class="stack">
          <div class="line">
            <div class="bubble" dir="auto">
              {outgoing.reply_to !== undefined && (
                <Quote seq={outgoing.reply_to} conversation={conversation} />
              )}
              <MessageText text={outgoing.text} />
              <span class="meta" title={failed ? 'Not sent' : 'Sending'}>
                <time dateTime={outgoing.created_at}>{clockTime(outgoing.created_at)}</time>
                <Icon name={failed ? 'alert' : 'clock'} size={14} />
                {!failed && <span class="visually-hidden">sending</span>}
              </span>
            </div>
          </div>
          {failed && (
            <div class="failed" role="alert">
              <span>Not sent: {outgoing.problem?.message ?? 'the server refused it.'}</span>
              <button type="button" onClick={() => parley.outbox.retry(outgoing.client_id)}>
                Try again
              </button>
              <button type="button" onClick={() => parley.outbox.discard(outgoing.client_id)}>
                Discard
              </button>
            </div>
          )}
        </div>
      </div>
    </div>
  );
}
