// Follow, asked, following: one button whose words say what is, and whose click changes it.
import { useState } from 'preact/hooks';
import type { Relationship, User } from '../../sdk/index';
import { relate } from '../state/relations';
import { nameOf } from '../state/users';
import { Button } from './button';
import { Confirm } from './dialog';

export function FollowButton({ user, relation }: { user: User; relation: Relationship | null }) {
  const [leaving, setLeaving] = useState(false);
  if (!relation)
    return (
      <Button disabled aria-hidden="true">
        Follow
      </Button>
    );
  if (relation.blocking)
    return <Button onClick={() => void relate(user.id, 'unblock')}>Unblock</Button>;
  if (relation.following)
    return (
      <>
        <Button
          icon="check"
          aria-label={`Following ${nameOf(user)}, unfollow`}
          onClick={() => {
            // To come back to a private account one has to be let in again.
            if (relation.is_private) setLeaving(true);
            else void relate(user.id, 'unfollow');
          }}
        >
          Following
        </Button>
        {leaving && (
          <Confirm
            title={`Unfollow ${nameOf(user)}?`}
            text="The account is private: to follow again you will have to ask."
            action="Unfollow"
            onClose={() => setLeaving(false)}
            onConfirm={() => {
              setLeaving(false);
              void relate(user.id, 'unfollow');
            }}
          />
        )}
      </>
    );
  if (relation.follow_requested)
    return (
      <Button
        icon="clock"
        aria-label="Requested, take the request back"
        onClick={() => void relate(user.id, 'unfollow')}
      >
        Requested
      </Button>
    );
  return (
    <Button look="primary" icon="plus" onClick={() => void relate(user.id, 'follow')}>
      {relation.is_private ? 'Ask to follow' : relation.followed_by ? 'Follow back' : 'Follow'}
    </Button>
  );
}
