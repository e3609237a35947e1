// The head of somebody's page: who they are, how one stands to them, and what one can do about it.
import { useRef, useState } from 'preact/hooks';
import type { Relationship, User } from '../../sdk/index';
import { shortNumber } from '../format';
import { openDirect } from '../state/chats';
import { orSay } from '../state/notices';
import { isOnline } from '../state/presence';
import { relate } from '../state/relations';
import { navigate } from '../state/route';
import { nameOf } from '../state/users';
import { Avatar } from './avatar';
import { Button, IconButton } from './button';
import { Confirm } from './dialog';
import { FollowButton } from './follow_button';
import { Icon } from './icon';
import { Menu, type MenuItem } from './popover';
import { Report } from './report';
import { RichText } from './rich_text';

export function ProfileHead({
  user,
  relation,
  own,
}: {
  user: User;
  relation: Relationship | null;
  own: boolean;
}) {
  const base = `/u/${user.username}`;
  return (
    <section class="card profile-head" aria-label="About">
      <Avatar
        id={user.id}
        name={nameOf(user)}
        image={user.avatar_url ?? null}
        size="large"
        online={!own && isOnline(user.id)}
      />
      <div class="about">
        <p class="full-name">
          {nameOf(user)}
          {(relation?.is_private ?? user.is_private) && (
            <span class="sign" title="Private account">
              <Icon name="lock" size={16} />
              <span class="visually-hidden">Private account</span>
            </span>
          )}
        </p>
        <p class="note">
          @{user.username}
          {relation?.followed_by && <span class="tag">Follows you</span>}
        </p>
        {user.bio && <RichText text={user.bio} />}
        <p class="counts">
          <a href={`${base}?tab=followers`} aria-disabled={!relation}>
            <b>{relation ? shortNumber(relation.follower_count) : '–'}</b>{' '}
            {relation?.follower_count === 1 ? 'follower' : 'followers'}
          </a>
          <a href={`${base}?tab=following`}>
            <b>{relation ? shortNumber(relation.following_count) : '–'}</b> following
          </a>
        </p>
      </div>
      <div class="buttons">
        {own ? (
          <Button icon="edit" onClick={() => navigate('/settings')}>
            Edit profile
          </Button>
        ) : (
          <>
            <FollowButton user={user} relation={relation} />
            {!relation?.blocking && <Message user={user} />}
          </>
        )}
      </div>
    </section>
  );
}

function Message({ user }: { user: User }) {
  const [busy, setBusy] = useState(false);
  return (
    <Button
      icon="chat"
      busy={busy}
      onClick={() => {
        setBusy(true);
        void orSay('The chat could not be opened', openDirect(user.id)).then((chat) => {
          setBusy(false);
          if (chat) navigate(`/c/${chat.id}`);
        });
      }}
    >
      Message
    </Button>
  );
}

export function ProfileMenu({ user, relation }: { user: User; relation: Relationship | null }) {
  const anchor = useRef<HTMLSpanElement>(null);
  const [shown, setShown] = useState<'menu' | 'block' | 'report' | null>(null);
  const close = (): void => setShown(null);
  const items: MenuItem[] = [
    relation?.muting
      ? { icon: 'bell', label: 'Unmute', act: () => void relate(user.id, 'unmute') }
      : { icon: 'mute', label: 'Mute', act: () => void relate(user.id, 'mute') },
    relation?.blocking
      ? { icon: 'block', label: 'Unblock', act: () => void relate(user.id, 'unblock') }
      : { icon: 'block', label: 'Block', danger: true, act: () => setShown('block') },
    { icon: 'flag', label: 'Report', danger: true, act: () => setShown('report') },
  ];
  return (
    <>
      <span ref={anchor}>
        <IconButton
          icon="more"
          label={`More about ${nameOf(user)}`}
          aria-haspopup="menu"
          aria-expanded={shown === 'menu'}
          onClick={() => setShown('menu')}
        />
      </span>
      {shown === 'menu' && <Menu anchor={anchor} label="Person" items={items} onClose={close} />}
      {shown === 'report' && <Report kind="user" id={user.id} onClose={close} />}
      {shown === 'block' && (
        <Confirm
          title={`Block ${nameOf(user)}?`}
          text="They no longer find you, see what you publish, or write to you, and you do not see them. They are not told."
          action="Block"
          onClose={close}
          onConfirm={() => {
            close();
            void relate(user.id, 'block');
          }}
        />
      )}
    </>
  );
}
