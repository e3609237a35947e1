// Where a comment is written (what is begun survives the way to another page), and where it is
// changed.
import { useState } from 'preact/hooks';
import type { Comment, ParleyError } from '../../sdk/index';
import { characters } from '../format';
import type { Thread } from '../state/comments';
import { commentDraft, draftOf, setDraft } from '../state/drafts';
import { problemOf } from '../state/problem';
import { me } from '../state/session';
import { Button } from './button';
import { PersonAvatar } from './person';
import { MarkedField } from './post_editor';
import { Banner } from './small';

const COMMENT_CHARACTERS_MAX = 2000;

export function CommentForm({
  thread,
  replyTo,
  name,
  onDone,
}: {
  thread: Thread;
  replyTo: Comment | null;
  name?: string;
  onDone?(): void;
}) {
  const place = commentDraft(thread.postId, replyTo?.id ?? null);
  const [text, setText] = useState(() => draftOf(place));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);
  const ready = text.trim() !== '' && characters(text) <= COMMENT_CHARACTERS_MAX;

  const change = (next: string): void => {
    setText(next);
    setDraft(place, next);
  };

  async function send(): Promise<void> {
    if (!ready || busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await thread.write(text.trim(), replyTo?.id ?? null);
      change('');
      onDone?.();
    } catch (caught) {
      setProblem(problemOf(caught));
    }
    setBusy(false);
  }

  return (
    <form
      class="comment-form"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && onDone) {
          event.stopPropagation();
          onDone();
        }
      }}
    >
      {!replyTo && me.value && <PersonAvatar id={me.value.id} size="small" />}
      <div class="writing">
        <MarkedField
          label={replyTo ? `Reply to ${name}` : 'Write a comment'}
          placeholder={replyTo ? `Reply to ${name}…` : 'Write a comment…'}
          value={text}
          max={COMMENT_CHARACTERS_MAX}
          autofocus={replyTo !== null}
          wrong={problem?.field('text')}
          onText={change}
          onSubmit={() => void send()}
        />
        {problem && problem.fields.length === 0 && (
          <Banner kind="problem">{problem.message}</Banner>
        )}
      </div>
      {(text.trim() !== '' || replyTo) && (
        <Button type="submit" look="primary" small busy={busy} disabled={!ready}>
          {replyTo ? 'Reply' : 'Send'}
        </Button>
      )}
    </form>
  );
}

export function EditComment({
  thread,
  comment,
  onDone,
}: {
  thread: Thread;
  comment: Comment;
  onDone(): void;
}) {
  const [text, setText] = useState(comment.text);
  const [problem, setProblem] = useState<ParleyError | null>(null);
  const ready =
    text.trim() !== '' && text !== comment.text && characters(text) <= COMMENT_CHARACTERS_MAX;

  async function save(): Promise<void> {
    if (!ready) return;
    try {
      await thread.edit(comment, text.trim());
      onDone();
    } catch (caught) {
      setProblem(problemOf(caught));
    }
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onDone();
      }}
    >
      <MarkedField
        label="Text of the comment"
        value={text}
        max={COMMENT_CHARACTERS_MAX}
        autofocus
        wrong={problem?.field('text') ?? problem?.message}
        onText={setText}
        onSubmit={() => void save()}
      />
      <div class="strip">
        <Button small onClick={onDone}>
          Cancel
        </Button>
        <Button small look="primary" type="submit" disabled={!ready}>
          Save
        </Button>
      </div>
    </form>
  );
}
