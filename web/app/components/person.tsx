// Someone, as an avatar with a name: the same face in lists, menus and messages.
import type { ComponentChildren } from 'preact';
import type { Id, User } from '../../sdk/index';
import { isOnline } from '../state/presence';
import { me } from '../state/session';
import { nameOf, userSignal } from '../state/users';
import { Avatar } from './avatar';

export function userFrom(id: Id): User | null {
  return me.value?.id === id ? me.value : userSignal(id).value;
}

export function PersonAvatar({
  id,
  size,
  presence,
}: {
  id: Id;
  size?: 'small' | 'medium' | 'normal' | 'large';
  presence?: boolean;
}) {
  const user = userFrom(id);
  return (
    <Avatar
      id={id}
      name={nameOf(user)}
      image={user?.avatar_url ?? null}
      {...(size ? { size } : {})}
      online={presence ? isOnline(id) : false}
    />
  );
}

/** Avatar, name and a second line; whatever is put inside comes at the end. */
export function PersonWords({
  user,
  note,
  children,
}: {
  user: User;
  note?: string;
  children?: ComponentChildren;
}) {
  return (
    <>
      <PersonAvatar id={user.id} size="medium" presence />
      <span class="words">
        <span class="name">{nameOf(user)}</span>
        <span class="note">{note ?? `@${user.username}`}</span>
      </span>
      {children}
    </>
  );
}
