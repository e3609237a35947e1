// Somebody as a line of a list that leads to their profile; at its end whatever is put inside.
import type { ComponentChildren } from 'preact';
import type { Id } from '../../sdk/index';
import { nameOf } from '../state/users';
import { Icon } from './icon';
import { PersonAvatar, userFrom } from './person';

export function PersonLine({
  id,
  note,
  children,
}: {
  id: Id;
  note?: ComponentChildren;
  children?: ComponentChildren;
}) {
  const user = userFrom(id);
  return (
    <div class="person line">
      <a class="person-link" href={user ? `/u/${user.username}` : undefined}>
        <PersonAvatar id={id} presence />
        <span class="words">
          <span class="name">
            {nameOf(user)}
            {user?.is_private && (
              <span class="sign" title="Private account">
                <Icon name="lock" size={13} />
              </span>
            )}
          </span>
          <span class="note">{note ?? (user ? `@${user.username}` : '')}</span>
        </span>
      </a>
      {children}
    </div>
  );
}
