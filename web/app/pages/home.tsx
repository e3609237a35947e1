// What the people one follows have published, and what is popular with everybody.
import { useRef } from 'preact/hooks';
import { Button } from '../components/button';
import { Icon } from '../components/icon';
import { Page } from '../components/page';
import { PersonAvatar, userFrom } from '../components/person';
import { PostFeed } from '../components/post_feed';
import { PostComposer } from '../components/post_editor';
import { Empty } from '../components/small';
import { StoriesBar } from '../components/stories_bar';
import { Tabs } from '../components/tabs';
import type { Id } from '../../sdk/index';
import { counted } from '../format';
import { useList } from '../state/list';
import { feedList, freshPosts, popularList, postSignal, showFresh } from '../state/posts';
import { arrival, navigate, query } from '../state/route';
import { nameOf } from '../state/users';

export default function Home() {
  const popular = query.value.get('tab') === 'popular';
  const list = popular ? popularList() : feedList();
  return (
    <Page
      title="Home"
      sticky={
        <Tabs
          label="Which posts"
          now={popular ? 'popular' : 'following'}
          tabs={[
            { id: 'following', label: 'Following', path: '/' },
            { id: 'popular', label: 'Popular', path: '/?tab=popular' },
          ]}
        />
      }
      aside={
        <>
          {!popular && <PopularAside />}
          <TagsAside />
        </>
      }
      onNearEnd={() => void list.more()}
    >
      {popular ? (
        <PostFeed
          key="popular"
          list={list}
          label="Popular posts"
          empty={
            <Empty icon="spark" title="Nothing is popular yet">
              <p>Posts that people like and talk about gather here.</p>
            </Empty>
          }
        />
      ) : (
        <>
          <StoriesBar />
          <PostComposer />
          <Fresh />
          <PostFeed
            key="feed"
            list={list}
            label="Posts"
            empty={
              <Empty icon="home" title="Your feed is still quiet">
                <p>
                  Follow people to read here what they publish, or write the first post yourself.
                </p>
                <Button look="primary" icon="search" onClick={() => navigate('/people')}>
                  Find people
                </Button>
              </Empty>
            }
          />
        </>
      )}
    </Page>
  );
}

/** New posts wait behind a word: what one is reading does not move. */
function Fresh() {
  const ids = freshPosts();
  const place = useRef<HTMLDivElement>(null);
  if (ids.length === 0) return <div ref={place} role="status" />;
  const authors = [...new Set(ids.map((id) => postSignal(id).value?.user_id).filter(Boolean))];
  return (
    <div ref={place} class="fresh" role="status">
      <button
        type="button"
        onClick={() => {
          place.current!.closest('[data-scroller]')?.scrollTo({ top: 0, behavior: 'smooth' });
          showFresh();
        }}
      >
        <span class="faces" aria-hidden="true">
          {authors.slice(0, 3).map((id) => (
            <PersonAvatar key={id} id={id!} size="small" />
          ))}
        </span>
        {counted(ids.length, 'new post')}
        <Icon name="send" size={16} />
      </button>
    </div>
  );
}

const ASIDE_POSTS = 5;

function PopularAside() {
  const list = popularList();
  useList(list, arrival === 'back');
  const ids = list.items.value.slice(0, ASIDE_POSTS);
  if (ids.length === 0) return null;
  return (
    <section class="panel" aria-label="Popular now">
      <h2>Popular now</h2>
      <ul class="small-posts">
        {ids.map((id) => (
          <li key={id}>
            <SmallPost id={id} />
          </li>
        ))}
      </ul>
      <a href="/?tab=popular" class="all">
        See all
      </a>
    </section>
  );
}

const ASIDE_TAGS = 8;

/** What the popular posts are about. */
function TagsAside() {
  const counts = new Map<string, number>();
  for (const id of popularList().items.value)
    for (const tag of postSignal(id).value?.tags ?? []) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  const tags = [...counts].sort((a, b) => b[1] - a[1]).slice(0, ASIDE_TAGS);
  if (tags.length === 0) return null;
  return (
    <section class="panel" aria-label="Talked about">
      <h2>Talked about</h2>
      <ul class="tag-cloud">
        {tags.map(([tag]) => (
          <li key={tag}>
            <a href={`/tags/${encodeURIComponent(tag)}`}>#{tag}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function SmallPost({ id }: { id: Id }) {
  const post = postSignal(id).value;
  const author = post ? userFrom(post.user_id) : null;
  if (!post) return null;
  return (
    <a href={`/p/${id}`} class="small-post">
      <span class="name">{nameOf(author)}</span>
      <span class="words">{post.text}</span>
      <span class="note">
        {counted(post.like_count, 'like')} · {counted(post.comment_count, 'comment')}
      </span>
    </a>
  );
}
