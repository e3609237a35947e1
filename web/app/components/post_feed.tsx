// A list of posts as a page shows it; more comes as one nears its end.
import type { ComponentChildren } from 'preact';
import { useList } from '../state/list';
import type { PostList } from '../state/posts';
import { arrival } from '../state/route';
import { ListView } from './list';
import { PostCard, PostSkeleton } from './post_card';

export function PostFeed({
  list,
  label,
  empty,
}: {
  list: PostList;
  label: string;
  empty: ComponentChildren;
}) {
  useList(list, arrival === 'back');
  return (
    <ListView
      list={list}
      label={label}
      keyOf={(id) => id}
      draw={(id) => <PostCard id={id} />}
      empty={empty}
      skeleton={() => <PostSkeleton />}
    />
  );
}
