// The posts that one has put aside.
import { Page } from '../components/page';
import { PostFeed } from '../components/post_feed';
import { Empty } from '../components/small';
import { bookmarkList } from '../state/posts';

export default function Bookmarks() {
  const list = bookmarkList();
  return (
    <Page title="Bookmarks" onNearEnd={() => void list.more()}>
      <PostFeed
        list={list}
        label="Bookmarked posts"
        empty={
          <Empty icon="bookmark" title="Nothing put aside yet">
            <p>Bookmark a post to find it here again. Nobody else sees your bookmarks.</p>
          </Empty>
        }
      />
    </Page>
  );
}
