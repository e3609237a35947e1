// One post, wherever it stands: who, when, what, and what one can do with it.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Id, Post } from '../../sdk/index';
import { counted, shortNumber } from '../format';
import { notify } from '../state/notices';
import { deletePost, postSignal, toggleBookmark, toggleLike } from '../state/posts';
import { navigate } from '../state/route';
import { me } from '../state/session';
import { nameOf } from '../state/users';
import { watch } from '../state/watch';
import { Ago } from './ago';
import { IconButton } from './button';
import { Confirm } from './dialog';
import { Icon } from './icon';
import { Bones } from './list';
import { PersonAvatar, userFrom } from './person';
import { Menu, type MenuItem } from './popover';
import { History, Likers } from './post_dialogs';
import { EditPost } from './post_editor';
import { Report } from './report';
import { RichText } from './rich_text';
import { visibilityIcons, visibilityWords } from './visibility';

interface CardProps {
  id: Id;
  /** On its own page: larger, not a link to itself. */
  alone?: boolean;
}

export function PostCard({ id, alone }: CardProps) {
  const post = postSignal(id).value;
  if (post === null)
    return (
      <article class="card post gone">
        <p>This post is not there any more.</p>
      </article>
    );
  return post ? <Card post={post} alone={alone ?? false} /> : <PostSkeleton />;
}

export function PostSkeleton() {
  return (
    <div class="card post">
      <header>
        <span class="skeleton round avatar medium" />
        <Bones widths={['34%', '20%']} />
      </header>
      <Bones widths={['96%', '88%', '60%']} />
    </div>
  );
}

function Card({ post, alone }: { post: Post; alone: boolean }) {
  const card = useRef<HTMLElement>(null);
  useLive(post.id, card);
  const author = userFrom(post.user_id);
  const name = nameOf(author);
  const profile = author ? `/u/${author.username}` : undefined;
  return (
    <article
      ref={card}
      class={`card post${alone ? ' alone' : ''}`}
      data-post={post.id}
      aria-label={`Post by ${name}`}
      onClick={alone ? undefined : (event) => openFrom(event, post.id)}
    >
      <header>
        <a href={profile} tabIndex={-1} aria-hidden="true" class="face">
          <PersonAvatar id={post.user_id} size="medium" presence />
        </a>
        <div class="by">
          <a class="name" href={profile}>
            {name}
          </a>
          <span class="note">
            {author && <span class="handle">@{author.username}</span>}
            <a href={`/p/${post.id}`} class="when">
              <Ago time={post.created_at} />
            </a>
            {post.visibility !== 'public' && (
              <span class="sign" title={`Seen by: ${visibilityWords[post.visibility]}`}>
                <Icon name={visibilityIcons[post.visibility]} size={14} />
                <span class="visually-hidden">{visibilityWords[post.visibility]}</span>
              </span>
            )}
            {post.edited_at && <Edited post={post} />}
          </span>
        </div>
        <Actions post={post} name={name} />
      </header>
      <Words text={post.text} whole={alone} id={post.id} />
      <Buttons post={post} alone={alone} />
    </article>
  );
}

const LONG_CHARACTERS = 700;

/** Long ones are cut short in lists: by height, so that nothing is torn apart. */
function Words({ text, whole, id }: { text: string; whole: boolean; id: Id }) {
  const [open, setOpen] = useState(false);
  if (!text) return null;
  const long = !whole && !open && (text.length > LONG_CHARACTERS || text.split('\n').length > 14);
  return (
    <div class={long ? 'words clipped' : 'words'}>
      <RichText text={text} />
      {long && (
        <button
          type="button"
          class="show-more"
          onClick={() => setOpen(true)}
          aria-describedby={`post-${id}`}
        >
          Show all
        </button>
      )}
    </div>
  );
}

function Buttons({ post, alone }: { post: Post; alone: boolean }) {
  const [likers, setLikers] = useState(false);
  return (
    <footer class="post-actions">
      <button
        type="button"
        class={`act like${post.liked ? ' on' : ''}`}
        aria-pressed={post.liked}
        aria-label={`Like, ${counted(post.like_count, 'like')}`}
        onClick={() => void toggleLike(post)}
      >
        <Icon name="heart" filled={post.liked} />
        <span aria-hidden="true">{post.like_count > 0 ? shortNumber(post.like_count) : ''}</span>
      </button>
      {alone ? (
        <button
          type="button"
          class="act"
          aria-label={`Comment, ${counted(post.comment_count, 'comment')}`}
          onClick={() => document.querySelector<HTMLElement>('.comment-form textarea')?.focus()}
        >
          <Icon name="comment" />
          <span aria-hidden="true">{shortNumber(post.comment_count)}</span>
        </button>
      ) : (
        <a
          class="act"
          href={`/p/${post.id}`}
          aria-label={`Comments, ${counted(post.comment_count, 'comment')}`}
        >
          <Icon name="comment" />
          <span aria-hidden="true">
            {post.comment_count > 0 ? shortNumber(post.comment_count) : ''}
          </span>
        </a>
      )}
      {alone && post.like_count > 0 && (
        <button type="button" class="act" onClick={() => setLikers(true)}>
          {counted(post.like_count, 'person likes', 'people like')} this
        </button>
      )}
      <span class="space" />
      <button
        type="button"
        class={`act keep${post.bookmarked ? ' on' : ''}`}
        aria-pressed={post.bookmarked}
        aria-label="Bookmark"
        title="Bookmark"
        onClick={() => void toggleBookmark(post)}
      >
        <Icon name="bookmark" filled={post.bookmarked} />
      </button>
      {likers && <Likers postId={post.id} onClose={() => setLikers(false)} />}
    </footer>
  );
}

function Edited({ post }: { post: Post }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="edited" onClick={() => setOpen(true)}>
        edited
      </button>
      {open && <History post={post} onClose={() => setOpen(false)} />}
    </>
  );
}

function Actions({ post, name }: { post: Post; name: string }) {
  const anchor = useRef<HTMLSpanElement>(null);
  const [shown, setShown] = useState<'menu' | 'edit' | 'delete' | 'report' | null>(null);
  const close = (): void => setShown(null);
  const own = post.user_id === me.value?.id;
  const items: MenuItem[] = [
    { icon: 'link', label: 'Copy link', act: () => void copyLink(post.id) },
    ...(own
      ? ([
          { icon: 'edit', label: 'Edit', act: () => setShown('edit') },
          { icon: 'trash', label: 'Delete', danger: true, act: () => setShown('delete') },
        ] as MenuItem[])
      : ([
          { icon: 'flag', label: 'Report', danger: true, act: () => setShown('report') },
        ] as MenuItem[])),
  ];
  return (
    <span class="more-of">
      <span ref={anchor}>
        <IconButton
          icon="more"
          label={`More about the post by ${name}`}
          aria-haspopup="menu"
          aria-expanded={shown === 'menu'}
          onClick={() => setShown('menu')}
        />
      </span>
      {shown === 'menu' && <Menu anchor={anchor} label="Post" items={items} onClose={close} />}
      {shown === 'edit' && <EditPost post={post} onClose={close} />}
      {shown === 'report' && <Report kind="post" id={post.id} onClose={close} />}
      {shown === 'delete' && (
        <Confirm
          title="Delete this post?"
          text="It disappears for everybody, with its comments and likes."
          action="Delete"
          onClose={close}
          onConfirm={() => {
            close();
            void deletePost(post);
          }}
        />
      )}
    </span>
  );
}

async function copyLink(id: Id): Promise<void> {
  try {
    await navigator.clipboard.writeText(`${location.origin}/p/${id}`);
    notify('Link copied.');
  } catch {
    notify('The link could not be copied.', 'problem');
  }
}

/** A click beside all controls, and not the end of marking some text, opens the post. */
function openFrom(event: MouseEvent, id: Id): void {
  if ((event.target as Element).closest('a, button, dialog, [popover], textarea')) return;
  if (event.button !== 0 || String(getSelection())) return;
  navigate(`/p/${id}`);
}

/** While a card is in view, its counts are live. */
function useLive(id: Id, card: { current: HTMLElement | null }): void {
  useEffect(() => {
    let unwatch: (() => void) | null = null;
    const observer = new IntersectionObserver(([entry]) => {
      if (entry!.isIntersecting) unwatch ??= watch(`post:${id}`);
      else {
        unwatch?.();
        unwatch = null;
      }
    });
    observer.observe(card.current!);
    return () => {
      observer.disconnect();
      unwatch?.();
    };
  }, [id]);
}
