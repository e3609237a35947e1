// Inviting people to one's event; whoever is invited may see it, also when it is private.
import { useSignal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { Dialog } from '../components/dialog';
import { SearchField } from '../components/field';
import { PersonWords } from '../components/person';
import type { CalendarEvent, Id } from '../../sdk/index';
import { usePeople } from '../state/find_people';
import { orSay } from '../state/notices';
import { me } from '../state/session';

export function InvitePeople({ event, onClose }: { event: CalendarEvent; onClose(): void }) {
  const [text, setText] = useState('');
  const invited = useSignal<ReadonlySet<Id>>(new Set());
  const people = usePeople(text);

  async function invite(id: Id): Promise<void> {
    const done = await orSay(
      'The invitation could not be sent',
      parley.events.invite(event.id, id).then(() => true),
    );
    if (done) invited.value = new Set(invited.peek()).add(id);
  }

  return (
    <Dialog
      title="Invite people"
      onClose={onClose}
      footer={
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <SearchField label="Find people" value={text} onText={setText} />
      <ul>
        {people.list
          .filter((user) => user.id !== me.value?.id)
          .map((user) => (
            <li key={user.id} class="person">
              <PersonWords user={user}>
                <Button
                  small
                  disabled={invited.value.has(user.id)}
                  onClick={() => void invite(user.id)}
                >
                  {invited.value.has(user.id) ? 'Invited' : 'Invite'}
                </Button>
              </PersonWords>
            </li>
          ))}
      </ul>
    </Dialog>
  );
}
