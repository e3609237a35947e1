// The posts with one tag.
import { Page } from '../components/page';
import { PostFeed } from '../components/post_feed';
import { Empty } from '../components/small';
import type { PageProps } from '../pages';
import { postsTagged } from '../state/posts';

export default function Tag({ params }: PageProps) {
  const tag = params.tag!.toLowerCase();
  const list = postsTagged(tag);
  return (
    <Page title={`#${tag}`} backTo="/" onNearEnd={() => void list.more()}>
      <PostFeed
        list={list}
        label={`Posts with #${tag}`}
        empty={
          <Empty icon="hash" title={`No posts with #${tag} yet`}>
            <p>Write one: every word after a # becomes a tag.</p>
          </Empty>
        }
      />
    </Page>
  );
}
