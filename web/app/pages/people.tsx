// Find people as one types, and answer those who ask to follow.
import { useEffect, useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { SearchField } from '../components/field';
import { Bones, ListView } from '../components/list';
import { Page } from '../components/page';
import { PersonLine } from '../components/person_line';
import { Empty, TryAgain } from '../components/small';
import { Tabs } from '../components/tabs';
import type { User } from '../../sdk/index';
import { counted } from '../format';
import { usePeople } from '../state/find_people';
import { useList, type PagedList } from '../state/list';
import { answerRequest, peopleList, requestCount, requestList } from '../state/relations';
import { navigate, query } from '../state/route';
import { me } from '../state/session';

export default function People() {
  const requests = query.value.get('tab') === 'requests';
  const asked = requestCount.value > 0 || requests || me.value?.is_private;
  const tabs = [
    { id: 'find', label: 'Find', path: '/people' },
    {
      id: 'requests',
      label: 'Requests',
      path: '/people?tab=requests',
      count: requestCount.value,
    },
  ];
  const bar = asked ? (
    <Tabs label="People" now={requests ? 'requests' : 'find'} tabs={tabs} />
  ) : null;
  return requests ? <Requests bar={bar} /> : <Find bar={bar} />;
}

function Find({ bar }: { bar: preact.VNode | null }) {
  const [text, setText] = useState(query.peek().get('q') ?? '');
  const found = usePeople(text, 40);
  const wanted = text.trim();
  // The address says what is looked for, so that the way back finds it again.
  useEffect(() => {
    const timer = setTimeout(() => {
      navigate(wanted ? `/people?q=${encodeURIComponent(wanted)}` : '/people', true);
    }, 400);
    return () => clearTimeout(timer);
  }, [wanted]);
  return (
    <Page
      title="People"
      onNearEnd={() => void (wanted || followers().more())}
      sticky={
        <>
          {bar}
          <div onKeyDown={walk}>
            <SearchField
              label="Search by name or user name"
              value={text}
              autofocus
              shortcut="Ctrl K"
              onText={setText}
              onKeyDown={(event) => {
                if (event.key === 'Enter') firstResult()?.click();
                if (event.key === 'Escape') setText('');
              }}
            />
          </div>
        </>
      }
    >
      <p class="visually-hidden" role="status">
        {wanted && !found.busy && `${counted(found.list.length, 'person', 'people')} found`}
      </p>
      {found.problem ? (
        <TryAgain retry={found.retry}>{found.problem}</TryAgain>
      ) : found.list.length > 0 ? (
        <ul class="list card plain people" aria-label="People" onKeyDown={walk}>
          {found.list.map((user) => (
            <li key={user.id}>
              <PersonLine id={user.id} note={noteOf(user)} />
            </li>
          ))}
        </ul>
      ) : wanted && found.busy ? (
        <div class="card plain" aria-hidden="true">
          {[0, 1, 2].map((index) => (
            <PersonBones key={index} />
          ))}
        </div>
      ) : wanted ? (
        <Empty icon="search" title={`Nobody found for “${wanted}”`}>
          <p>
            Try the beginning of a name or a user name. E-mail addresses and phone numbers are found
            only in full, and only when their owners allow it.
          </p>
        </Empty>
      ) : (
        <Acquaintances />
      )}
    </Page>
  );
}

function followers(): PagedList<User> {
  const own = me.value!.id;
  return peopleList(`followers:${own}`, (page) => parley.social.followers(own, page));
}

/** Before anything is typed: those who may be looked for anyway. */
function Acquaintances() {
  const list = followers();
  useList(list);
  const some = list.items.value.length > 0;
  return (
    <>
      {some && <h2 class="group-title">They follow you</h2>}
      <div class={some || !list.loaded.value ? 'card plain people' : ''} onKeyDown={walk}>
        <ListView
          list={list}
          label="They follow you"
          plain
          keyOf={(user) => user.id}
          draw={(user) => <PersonLine id={user.id} note={noteOf(user)} />}
          empty={
            <Empty icon="group" title="Who are you looking for?">
              <p>Type a name, a user name, or a whole e-mail address or phone number.</p>
            </Empty>
          }
          skeleton={() => <PersonBones />}
        />
      </div>
    </>
  );
}

const noteOf = (user: User): string =>
  user.bio ? `@${user.username} · ${user.bio.split('\n')[0]}` : `@${user.username}`;

const firstResult = (): HTMLElement | null => document.querySelector('.people .person-link');

/** Arrows go from the field into the results and through them. */
function walk(event: KeyboardEvent): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const stops = [
    ...document.querySelectorAll<HTMLElement>(
      '.page-sticky input[type=search], .people .person-link',
    ),
  ];
  const next =
    stops[
      stops.indexOf(document.activeElement as HTMLElement) + (event.key === 'ArrowDown' ? 1 : -1)
    ];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

export function PersonBones() {
  return (
    <div class="person line">
      <span class="skeleton round avatar" />
      <Bones widths={['40%', '26%']} />
    </div>
  );
}

function Requests({ bar }: { bar: preact.VNode | null }) {
  const list = requestList();
  useList(list);
  return (
    <Page title="Follow requests" sticky={bar} onNearEnd={() => void list.more()}>
      <div class="card plain">
        <ListView
          list={list}
          label="Follow requests"
          plain
          keyOf={(user) => user.id}
          draw={(user) => (
            <PersonLine id={user.id}>
              <Button small look="primary" onClick={() => void answerRequest(user, true)}>
                Accept
              </Button>
              <Button small onClick={() => void answerRequest(user, false)}>
                Refuse
              </Button>
            </PersonLine>
          )}
          empty={
            <Empty icon="user" title="Nobody is waiting">
              <p>
                {me.value?.is_private
                  ? 'Whoever asks to follow you is shown here.'
                  : 'Your account is open: people follow you without asking. You can change that in the settings.'}
              </p>
            </Empty>
          }
          skeleton={() => <PersonBones />}
        />
      </div>
    </Page>
  );
}
