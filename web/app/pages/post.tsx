// One post with what people say about it, live.
import { useCallback, useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { Button } from '../components/button';
import { Comments } from '../components/comments';
import { Page } from '../components/page';
import { PostCard } from '../components/post_card';
import { Empty, TryAgain } from '../components/small';
import type { PageProps } from '../pages';
import { threadOf } from '../state/comments';
import { loadPost, postSignal } from '../state/posts';
import { arrival, navigate } from '../state/route';
import { nameOf } from '../state/users';
import { useWatch } from '../state/watch';
import { userFrom } from '../components/person';

export default function PostPage({ params }: PageProps) {
  const id = params.post!;
  const problem = useSignal<string | null>(null);
  const post = postSignal(id).value;
  const thread = threadOf(id);
  const load = useCallback(() => {
    loadPost(id).then(
      () => (problem.value = null),
      (caught: Error) => (problem.value = caught.message),
    );
  }, [id]);
  const refetch = useCallback(() => {
    load();
    // Read while the server did not listen yet: the count tells whether something was missed.
    void thread.refetch();
  }, [load, thread]);
  useEffect(() => {
    load();
    void thread.branch(null).open(arrival === 'back');
  }, [load, thread]);
  useWatch(`post:${id}`, refetch);

  if (post === null)
    return (
      <Page title="Post" backTo="/">
        <Empty icon="search" title="This post is not there">
          <p>It was deleted, or it is not for you to see.</p>
          <Button look="primary" onClick={() => navigate('/')}>
            Go home
          </Button>
        </Empty>
      </Page>
    );
  return (
    <Page
      title={post ? `Post by ${nameOf(userFrom(post.user_id))}` : 'Post'}
      backTo="/"
      busy={!post}
      onNearEnd={() => void thread.branch(null).more()}
    >
      {problem.value && <TryAgain retry={load}>{problem.value}</TryAgain>}
      <PostCard id={id} alone />
      {post && <Comments thread={thread} post={post} />}
    </Page>
  );
}
