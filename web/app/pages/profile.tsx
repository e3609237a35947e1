// Somebody: who they are, how one stands to them, what they publish, whom they know.
import { useEffect, useState } from 'preact/hooks';
import { Button, IconButton } from '../components/button';
import { Bones, ListView } from '../components/list';
import { Page } from '../components/page';
import { PersonLine } from '../components/person_line';
import { ProfileHead, ProfileMenu } from '../components/profile_head';
import { PostFeed } from '../components/post_feed';
import { Empty, TryAgain } from '../components/small';
import { Tabs } from '../components/tabs';
import { parley } from '../client';
import type { PageProps } from '../pages';
import { ParleyError, type Relationship, type User } from '../../sdk/index';
import { counted } from '../format';
import { useList } from '../state/list';
import { missed, useReturn } from '../state/missed';
import { postsOf } from '../state/posts';
import { problemOf } from '../state/problem';
import { loadRelation, peopleList, relationTo } from '../state/relations';
import { arrival, navigate, query } from '../state/route';
import { me } from '../state/session';
import { learn, nameOf, userNamed, userSignal } from '../state/users';
import { PersonBones } from './people';

export default function Profile({ params }: PageProps) {
  const username = params.username!.toLowerCase();
  const [problem, setProblem] = useState<ParleyError | null>(null);
  const known = userNamed(username);
  const user = known ? userSignal(known).value : null;
  const load = (): Promise<void> =>
    parley.users.byUsername(username).then(
      (found) => {
        learn(found);
        setProblem(null);
        loadRelation(found.id).catch((caught: unknown) => setProblem(problemOf(caught)));
      },
      (caught: unknown) => setProblem(problemOf(caught)),
    );
  useEffect(() => void load(), [username, missed.value]);
  // Somebody known already is shown all the same, with nothing to press.
  useReturn(() => user && problem && load());

  if (problem?.status === 404)
    return (
      <Page title="Not here" backTo="/people">
        <Empty icon="user" title="There is nobody here">
          <p>
            <b>@{username}</b> does not exist, or is not for you to see.
          </p>
          <Button look="primary" icon="search" onClick={() => navigate('/people')}>
            Find people
          </Button>
        </Empty>
      </Page>
    );
  if (!user)
    return (
      <Page title={`@${username}`} backTo="/people" busy={!problem}>
        {problem ? <TryAgain retry={load}>{problem.message}</TryAgain> : <HeadBones />}
      </Page>
    );
  return <Known user={user} />;
}

function HeadBones() {
  return (
    <div class="card profile-head" aria-hidden="true">
      <span class="skeleton round avatar large" />
      <Bones widths={['44%', '28%', '80%']} />
    </div>
  );
}

type Part = 'posts' | 'followers' | 'following';
const parts: readonly Part[] = ['posts', 'followers', 'following'];

function Known({ user }: { user: User }) {
  const own = user.id === me.value?.id;
  const relation = relationTo(user.id).value;
  const tab = query.value.get('tab') as Part | null;
  const part: Part = tab && parts.includes(tab) ? tab : 'posts';
  const base = `/u/${user.username}`;
  const hidden = whyHidden(user, relation, own);
  const people = part === 'posts' ? null : peopleOf(user, part);
  const more = (): void => void (people ?? postsOf(user.id)).more();
  return (
    <Page
      title={nameOf(user)}
      {...(own ? {} : { backTo: '/people' })}
      onNearEnd={hidden ? undefined : more}
      actions={
        own ? (
          <IconButton icon="settings" label="Settings" onClick={() => navigate('/settings')} />
        ) : (
          <ProfileMenu user={user} relation={relation} />
        )
      }
    >
      <ProfileHead user={user} relation={relation} own={own} />
      {hidden ? (
        <Empty icon={hidden.icon} title={hidden.title}>
          <p>{hidden.text}</p>
        </Empty>
      ) : (
        <>
          <Tabs
            label={`Of ${nameOf(user)}`}
            now={part}
            tabs={[
              { id: 'posts', label: 'Posts', path: base },
              { id: 'followers', label: 'Followers', path: `${base}?tab=followers` },
              { id: 'following', label: 'Following', path: `${base}?tab=following` },
            ]}
          />
          {people ? (
            <PeopleOf key={part} user={user} part={part as 'followers' | 'following'} own={own} />
          ) : (
            <PostFeed
              list={postsOf(user.id)}
              label={`Posts by ${nameOf(user)}`}
              empty={
                <Empty icon="edit" title={own ? 'You have not posted yet' : 'No posts yet'}>
                  <p>
                    {own
                      ? 'What you write on the home page is kept here.'
                      : `When ${nameOf(user)} writes something, it is here.`}
                  </p>
                </Empty>
              }
            />
          )}
        </>
      )}
    </Page>
  );
}

function whyHidden(user: User, relation: Relationship | null, own: boolean) {
  if (own || !relation) return null;
  if (relation.blocking)
    return {
      icon: 'block' as const,
      title: `You have blocked ${nameOf(user)}`,
      text: 'Neither of you sees what the other does. Unblock them to change that.',
    };
  if (relation.is_private && !relation.following)
    return {
      icon: 'lock' as const,
      title: 'This account is private',
      text: relation.follow_requested
        ? 'You have asked to follow. Once you are let in, the posts are here.'
        : 'Ask to follow; once you are let in, the posts are here.',
    };
  return null;
}

const peopleOf = (user: User, part: 'followers' | 'following') =>
  peopleList(`${part}:${user.id}`, (page) => parley.social[part](user.id, page));

function PeopleOf({
  user,
  part,
  own,
}: {
  user: User;
  part: 'followers' | 'following';
  own: boolean;
}) {
  const list = peopleOf(user, part);
  useList(list, arrival === 'back');
  const name = own ? 'you' : nameOf(user);
  return (
    <div class="card plain">
      <ListView
        list={list}
        label={part}
        plain
        keyOf={(one) => one.id}
        draw={(one) => <PersonLine id={one.id} />}
        empty={
          part === 'followers' ? (
            <Empty icon="group" title={`Nobody follows ${name} yet`} />
          ) : (
            <Empty
              icon="group"
              title={own ? 'You do not follow anybody yet' : `${name} follows nobody yet`}
            />
          )
        }
        skeleton={() => <PersonBones />}
      />
      <p class="visually-hidden">{counted(list.items.value.length, 'person', 'people')}</p>
    </div>
  );
}
