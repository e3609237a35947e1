// Who may follow and find one, and whom one does not want to see.
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { Switch } from '../components/field';
import { Bones, ListView } from '../components/list';
import { PersonLine } from '../components/person_line';
import type { UserChange } from '../../sdk/index';
import { useList } from '../state/list';
import { notify } from '../state/notices';
import { peopleList, relate } from '../state/relations';
import { me } from '../state/session';

type Choice = 'is_private' | 'discoverable_by_email' | 'discoverable_by_phone';

/** At once; back again when the server would not. */
async function choose(choice: Choice, on: boolean): Promise<void> {
  const before = me.peek()!;
  me.value = { ...before, [choice]: on };
  try {
    me.value = await parley.users.update({ [choice]: on } as UserChange);
  } catch (problem) {
    me.value = { ...me.peek()!, [choice]: before[choice] ?? false };
    notify(`That was not saved: ${(problem as Error).message}`, 'problem');
  }
}

export function Privacy() {
  const user = me.value!;
  return (
    <section class="panel" aria-label="Privacy">
      <h2>Privacy</h2>
      <Switch
        label="Private account"
        hint="Only those you let in follow you and see what you publish."
        on={user.is_private ?? false}
        onSwitch={(on) => void choose('is_private', on)}
      />
      <Switch
        label="Findable by e-mail address"
        hint="Whoever knows your whole address finds your profile."
        on={user.discoverable_by_email ?? false}
        onSwitch={(on) => void choose('discoverable_by_email', on)}
      />
      <Switch
        label="Findable by phone number"
        hint="Whoever knows your whole number finds your profile."
        on={user.discoverable_by_phone ?? false}
        onSwitch={(on) => void choose('discoverable_by_phone', on)}
      />
    </section>
  );
}

export function Hidden() {
  const [shown, setShown] = useState<'blocked' | 'muted' | null>(null);
  return (
    <section class="panel" aria-label="Blocked and muted people">
      <h2>Blocked and muted people</h2>
      <div class="strip">
        <Button
          aria-expanded={shown === 'blocked'}
          onClick={() => setShown(shown === 'blocked' ? null : 'blocked')}
        >
          Blocked
        </Button>
        <Button
          aria-expanded={shown === 'muted'}
          onClick={() => setShown(shown === 'muted' ? null : 'muted')}
        >
          Muted
        </Button>
      </div>
      {shown && <HiddenPeople key={shown} which={shown} />}
    </section>
  );
}

function HiddenPeople({ which }: { which: 'blocked' | 'muted' }) {
  const list = peopleList(which, (page) => parley.social[which](page));
  useList(list);
  const undo = which === 'blocked' ? 'unblock' : 'unmute';
  return (
    <>
      <ListView
        list={list}
        label={which === 'blocked' ? 'Blocked people' : 'Muted people'}
        plain
        keyOf={(user) => user.id}
        draw={(user) => (
          <PersonLine id={user.id}>
            <Button
              small
              onClick={() =>
                void relate(user.id, undo).then((done) => done && list.remove(user.id))
              }
            >
              {which === 'blocked' ? 'Unblock' : 'Unmute'}
            </Button>
          </PersonLine>
        )}
        empty={
          <p class="quiet">
            {which === 'blocked' ? 'You have blocked nobody.' : 'You have muted nobody.'}
          </p>
        }
        skeleton={() => <Bones widths={['50%']} />}
      />
      {!list.done.value && list.loaded.value && (
        <Button look="plain" small onClick={() => void list.more()}>
          Show more
        </Button>
      )}
    </>
  );
}
