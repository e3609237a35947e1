// The comments below a post: a tree that is opened branch by branch.
import { useRef, useState } from 'preact/hooks';
import type { Comment, Post } from '../../sdk/index';
import { counted } from '../format';
import type { Thread } from '../state/comments';
import { me } from '../state/session';
import { nameOf } from '../state/users';
import { Ago } from './ago';
import { Button, IconButton } from './button';
import { CommentForm, EditComment } from './comment_form';
import { Confirm } from './dialog';
import { Bones } from './list';
import { PersonAvatar, userFrom } from './person';
import { Menu, type MenuItem } from './popover';
import { Report } from './report';
import { RichText } from './rich_text';
import { Banner } from './small';

/** Deeper ones stand below each other: a phone has no room for more steps. */
const STEPS_MAX = 4;

export function Comments({ thread, post }: { thread: Thread; post: Post }) {
  const top = thread.branch(null);
  const none = top.loaded.value && top.items.value.length === 0 && top.done.value;
  return (
    <section class="card comments" aria-label="Comments">
      <h2>{post.comment_count ? counted(post.comment_count, 'comment') : 'Comments'}</h2>
      <CommentForm thread={thread} replyTo={null} />
      {none ? (
        <p class="quiet">Nobody has said anything yet. Yours could be the first word.</p>
      ) : (
        <Branch thread={thread} parent={null} step={0} />
      )}
    </section>
  );
}

function Branch({
  thread,
  parent,
  step,
}: {
  thread: Thread;
  parent: Comment | null;
  step: number;
}) {
  const list = thread.branch(parent?.id ?? null);
  return (
    <>
      <ul class={`branch${step > 0 && step <= STEPS_MAX ? ' inner' : ''}`}>
        {list.items.value.map((comment) => (
          <li key={comment.id}>
            <OneComment thread={thread} comment={comment} step={step} />
          </li>
        ))}
      </ul>
      {!list.loaded.value && !list.problem.value && (
        <div class="comment" aria-hidden="true">
          <span class="skeleton round avatar small" />
          <Bones widths={['30%', '80%']} />
        </div>
      )}
      {list.problem.value ? (
        <Banner kind="problem">
          {list.problem.value}{' '}
          <Button look="plain" small onClick={() => void list.retry()}>
            Try again
          </Button>
        </Banner>
      ) : (
        list.loaded.value &&
        !list.done.value && (
          <Button look="plain" small busy={list.busy.value} onClick={() => void list.more()}>
            Show more
          </Button>
        )
      )}
    </>
  );
}

function OneComment({ thread, comment, step }: { thread: Thread; comment: Comment; step: number }) {
  const [mode, setMode] = useState<'reply' | 'edit' | null>(null);
  const author = userFrom(comment.user_id);
  const name = nameOf(author);
  const open = thread.open.value.has(comment.id);
  const deleted = comment.deleted_at !== null;
  const flash = thread.flash.value === comment.id;
  const profile = author ? `/u/${author.username}` : undefined;
  return (
    <>
      <article
        class={`comment${flash ? ' flash' : ''}`}
        aria-label={deleted ? 'Deleted comment' : `Comment by ${name}`}
        data-comment={comment.id}
      >
        {deleted ? (
          <span class="avatar small empty-face" aria-hidden="true" />
        ) : (
          <a href={profile} tabIndex={-1} aria-hidden="true">
            <PersonAvatar id={comment.user_id} size="small" />
          </a>
        )}
        <div class="said">
          {deleted ? (
            <p class="quiet">This comment was deleted.</p>
          ) : (
            <>
              <div class="top">
                <a class="name" href={profile}>
                  {name}
                </a>
                <span class="note">
                  <Ago time={comment.created_at} />
                  {comment.edited_at && ' · edited'}
                </span>
              </div>
              {mode === 'edit' ? (
                <EditComment thread={thread} comment={comment} onDone={() => setMode(null)} />
              ) : (
                <RichText text={comment.text} />
              )}
            </>
          )}
          <div class="strip">
            {!deleted && (
              <button
                type="button"
                class="quiet-button"
                onClick={() => setMode(mode === 'reply' ? null : 'reply')}
              >
                Reply
              </button>
            )}
            {comment.reply_count > 0 && (
              <button
                type="button"
                class="quiet-button strong"
                aria-expanded={open}
                onClick={() => (open ? thread.hide(comment.id) : void thread.show(comment.id))}
              >
                {open ? 'Hide replies' : counted(comment.reply_count, 'reply', 'replies')}
              </button>
            )}
            {!deleted && (
              <CommentMenu
                thread={thread}
                comment={comment}
                name={name}
                onEdit={() => setMode('edit')}
              />
            )}
          </div>
          {mode === 'reply' && (
            <CommentForm
              thread={thread}
              replyTo={comment}
              name={name}
              onDone={() => setMode(null)}
            />
          )}
        </div>
      </article>
      {open && comment.reply_count > 0 && (
        <Branch thread={thread} parent={comment} step={step + 1} />
      )}
    </>
  );
}

function CommentMenu({
  thread,
  comment,
  name,
  onEdit,
}: {
  thread: Thread;
  comment: Comment;
  name: string;
  onEdit(): void;
}) {
  const anchor = useRef<HTMLSpanElement>(null);
  const [shown, setShown] = useState<'menu' | 'delete' | 'report' | null>(null);
  const close = (): void => setShown(null);
  const own = comment.user_id === me.value?.id;
  const items: MenuItem[] = own
    ? [
        { icon: 'edit', label: 'Edit', act: onEdit },
        { icon: 'trash', label: 'Delete', danger: true, act: () => setShown('delete') },
      ]
    : [{ icon: 'flag', label: 'Report', danger: true, act: () => setShown('report') }];
  return (
    <span class="more-of">
      <span ref={anchor}>
        <IconButton
          icon="more"
          small
          label={`More about the comment by ${name}`}
          aria-haspopup="menu"
          aria-expanded={shown === 'menu'}
          onClick={() => setShown('menu')}
        />
      </span>
      {shown === 'menu' && <Menu anchor={anchor} label="Comment" items={items} onClose={close} />}
      {shown === 'report' && <Report kind="comment" id={comment.id} onClose={close} />}
      {shown === 'delete' && (
        <Confirm
          title="Delete this comment?"
          text="Its words go; the answers below it stay."
          action="Delete"
          onClose={close}
          onConfirm={() => {
            close();
            void thread.remove(comment);
          }}
        />
      )}
    </span>
  );
}
