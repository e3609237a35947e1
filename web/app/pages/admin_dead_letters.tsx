// Events that a consumer has given up on: looked at, handed over once more, or discarded.
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { Ago } from '../components/ago';
import { Button } from '../components/button';
import { Confirm, Dialog } from '../components/dialog';
import { Table } from '../components/table';
import type { DeadLetter } from '../../sdk/index';
import { useAdminList } from '../state/admin';
import { notify, orSay } from '../state/notices';

export function AdminDeadLetters() {
  const [looking, setLooking] = useState<DeadLetter | null>(null);
  const [discarding, setDiscarding] = useState<DeadLetter | null>(null);
  const list = useAdminList<DeadLetter>(
    'dead_letters',
    (page) => parley.admin.deadLetters(page),
    (letter) => letter.id,
  );

  async function leave(letter: DeadLetter, act: Promise<unknown>, said: string): Promise<void> {
    const done = await orSay(
      'That did not work',
      act.then(() => true),
    );
    if (!done) return;
    list.remove(letter.id);
    notify(said);
    setLooking(null);
    setDiscarding(null);
  }
  const requeue = (letter: DeadLetter): void =>
    void leave(letter, parley.admin.requeue(letter.id), `Handed to ${letter.consumer} again.`);

  return (
    <>
      <Table
        label="Dead letters"
        list={list}
        keyOf={(letter) => letter.id}
        empty={{
          icon: 'check',
          title: 'No dead letters',
          text: 'Every consumer has handled every event. One that fails too often appears here.',
        }}
        columns={[
          { head: 'Consumer', cell: (letter) => letter.consumer },
          { head: 'Event', cell: (letter) => letter.event_type },
          { head: 'Error', cell: (letter) => letter.error },
          { head: 'Attempts', figures: true, cell: (letter) => letter.attempts },
          { head: 'When', cell: (letter) => <Ago time={letter.created_at} /> },
          {
            head: 'Deeds',
            deeds: true,
            cell: (letter) => (
              <>
                <Button small onClick={() => setLooking(letter)}>
                  Look
                </Button>
                <Button small look="primary" onClick={() => requeue(letter)}>
                  Requeue
                </Button>
                <Button small look="danger" onClick={() => setDiscarding(letter)}>
                  Discard
                </Button>
              </>
            ),
          },
        ]}
      />
      {looking && (
        <Dialog
          title={`${looking.event_type} for ${looking.consumer}`}
          onClose={() => setLooking(null)}
          footer={
            <Button look="primary" onClick={() => requeue(looking)}>
              Requeue
            </Button>
          }
        >
          <p class="soft">
            Position {looking.event_pos}. {looking.error}
          </p>
          <pre class="json">{JSON.stringify(looking.data, null, 2)}</pre>
        </Dialog>
      )}
      {discarding && (
        <Confirm
          title="Discard this event?"
          text={`${discarding.consumer} will never handle it. It stays in the log and in the audit log.`}
          action="Discard"
          onConfirm={() =>
            void leave(discarding, parley.admin.discard(discarding.id), 'Discarded.')
          }
          onClose={() => setDiscarding(null)}
        />
      )}
    </>
  );
}
