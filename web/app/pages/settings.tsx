// One's own profile and the look of the client; what else can be set has a file for each subject.
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { Segments, TextArea, TextField } from '../components/field';
import { Page } from '../components/page';
import { PersonAvatar } from '../components/person';
import { Banner } from '../components/small';
import type { ParleyError } from '../../sdk/index';
import { ABOUT_DRAFT, draftOf, NAME_DRAFT, setDraft } from '../state/drafts';
import { notify } from '../state/notices';
import { problemOf } from '../state/problem';
import { me, signOut } from '../state/session';
import { setTheme, theme } from '../state/theme';
import { learn } from '../state/users';
import { Devices, Password } from './settings_access';
import { Data } from './settings_data';
import { Hidden, Privacy } from './settings_privacy';
import { Addresses } from './settings_addresses';

export default function Settings() {
  return (
    <Page
      title="Settings"
      actions={
        <Button small icon="leave" onClick={() => void signOut()}>
          Sign out
        </Button>
      }
    >
      <div class="settings">
        <Profile />
        <Privacy />
        <Hidden />
        <Appearance />
        <Addresses />
        <Password />
        <Devices />
        <Data />
      </div>
    </Page>
  );
}

function Appearance() {
  return (
    <section class="panel" aria-label="Appearance">
      <h2>Appearance</h2>
      <Segments
        label="Theme"
        name="theme"
        value={theme.value}
        choices={[
          { value: 'system', label: 'System' },
          { value: 'light', label: 'Light' },
          { value: 'dark', label: 'Dark' },
        ]}
        onChoose={setTheme}
      />
    </section>
  );
}

/** What is not saved yet is there again on the way back; null: as it is saved. */
function useDraft(place: string, saved: string): [string, (text: string | null) => void] {
  const [draft, setText] = useState(() => draftOf(place) || null);
  return [
    draft ?? saved,
    (text) => {
      setText(text);
      setDraft(place, text === null || text === saved ? '' : text);
    },
  ];
}

function Profile() {
  const user = me.value!;
  const [name, setName] = useDraft(NAME_DRAFT, user.full_name ?? '');
  const [bio, setBio] = useDraft(ABOUT_DRAFT, user.bio ?? '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);
  const changed = name !== (user.full_name ?? '') || bio !== (user.bio ?? '');

  async function save(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const saved = await parley.users.update({
        full_name: name.trim() || null,
        bio: bio.trim() || null,
      });
      me.value = saved;
      learn(saved);
      setName(null);
      setBio(null);
      notify('Profile saved.');
    } catch (caught) {
      setProblem(problemOf(caught));
    }
    setBusy(false);
  }

  return (
    <section class="panel" aria-label="Profile">
      <div class="person plain">
        <PersonAvatar id={user.id} size="normal" />
        <span class="words">
          <span class="name">{user.full_name || user.username}</span>
          <span class="note">
            @{user.username}
            {user.email ? ` · ${user.email}` : ''}
          </span>
        </span>
      </div>
      <form onSubmit={(event) => void save(event)}>
        {problem && problem.fields.length === 0 && (
          <Banner kind="problem">{problem.message}</Banner>
        )}
        <TextField
          label="Full name"
          value={name}
          maxLength={100}
          autocomplete="name"
          wrong={problem?.field('full_name')}
          onText={setName}
        />
        <TextArea
          label="About you"
          value={bio}
          maxLength={500}
          wrong={problem?.field('bio')}
          onText={setBio}
        />
        <Button look="primary" type="submit" busy={busy} disabled={!changed}>
          Save profile
        </Button>
      </form>
    </section>
  );
}
