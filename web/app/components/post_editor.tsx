// Where posts are written and changed: a field that shows tags, names and addresses as they will
// be, counts characters near the limit, and offers people as one types a name.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { parley } from '../client';
import type { ParleyError, Post, PostVisibility } from '../../sdk/index';
import { characters, splitMarks } from '../format';
import { draftOf, POST_DRAFT, setDraft } from '../state/drafts';
import { notify } from '../state/notices';
import { publish, putPost } from '../state/posts';
import { problemOf } from '../state/problem';
import { me } from '../state/session';
import { nameOf } from '../state/users';
import { Button } from './button';
import { Dialog } from './dialog';
import { Icon } from './icon';
import { NameOffers, useNameOffers } from './name_offers';
import { PersonAvatar } from './person';
import { Banner } from './small';
import { VisibilityPicker } from './visibility';

export const POST_CHARACTERS_MAX = 5000;
/** Below this many left, the count is shown. */
const NEAR_LIMIT = 200;

interface FieldProps {
  label: string;
  value: string;
  placeholder?: string;
  max: number;
  autofocus?: boolean;
  wrong?: string | undefined;
  onText(text: string): void;
  /** Ctrl+Enter. */
  onSubmit(): void;
  onFocus?(): void;
}

export function MarkedField(props: FieldProps) {
  const { label, value, placeholder, max, autofocus, wrong, onText, onSubmit, onFocus } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  const offers = useNameOffers(field, value, onText);
  const left = max - characters(value);
  useLayoutEffect(() => {
    if (!autofocus) return;
    field.current!.focus();
    field.current!.setSelectionRange(value.length, value.length);
  }, []);
  return (
    <div class="marked-field">
      <div class="layers">
        {/* The same words below the field's own, which are transparent: it brings the colours. */}
        <div class="marks" aria-hidden="true">
          {splitMarks(value).map((piece, index) =>
            piece.kind === 'text' ? piece.text : <mark key={index}>{piece.text}</mark>,
          )}
          {'\n'}
        </div>
        <textarea
          ref={field}
          aria-label={label}
          placeholder={placeholder}
          value={value}
          rows={1}
          dir="auto"
          autofocus={autofocus}
          aria-invalid={wrong ? 'true' : undefined}
          {...offers.field}
          onInput={(event) => {
            onText(event.currentTarget.value);
            offers.look();
          }}
          onFocus={onFocus}
          onBlur={offers.close}
          onKeyDown={(event) => {
            if (offers.key(event)) return;
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
              event.preventDefault();
              onSubmit();
            }
          }}
        />
      </div>
      <NameOffers offers={offers} />
      <span class={`left${left < 0 ? ' over' : ''}`} role="status">
        {left < NEAR_LIMIT &&
          (left < 0 ? `${-left} characters too many` : `${left} characters left`)}
      </span>
      {wrong && (
        <p class="wrong">
          <Icon name="alert" size={16} /> {wrong}
        </p>
      )}
    </div>
  );
}

/** The field at the head of the feed; what is begun survives the way to another page. */
export function PostComposer() {
  const [text, setText] = useState(() => draftOf(POST_DRAFT));
  const [visibility, setVisibility] = useState<PostVisibility>('public');
  const [open, setOpen] = useState(text !== '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);
  const user = me.value;
  const count = characters(text);
  const ready = text.trim() !== '' && count <= POST_CHARACTERS_MAX;

  const change = (next: string): void => {
    setText(next);
    setDraft(POST_DRAFT, next);
  };

  async function send(): Promise<void> {
    if (!ready || busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await publish({ text: text.trim(), visibility });
      change('');
      setOpen(false);
      (document.activeElement as HTMLElement | null)?.blur();
      notify('Posted.');
    } catch (caught) {
      setProblem(problemOf(caught));
    }
    setBusy(false);
  }

  if (!user) return null;
  return (
    <section
      class={`card composer-card${open ? ' open' : ''}`}
      aria-label="Write a post"
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !text) setOpen(false);
      }}
    >
      <PersonAvatar id={user.id} size="medium" />
      <div class="writing">
        <MarkedField
          label="Write a post"
          placeholder={`What is on your mind, ${nameOf(user).split(' ')[0]}?`}
          value={text}
          max={POST_CHARACTERS_MAX}
          wrong={problem?.field('text')}
          onText={change}
          onSubmit={() => void send()}
          onFocus={() => setOpen(true)}
        />
        {problem && problem.fields.length === 0 && (
          <Banner kind="problem">{problem.message}</Banner>
        )}
        {open && (
          <div class="strip">
            <VisibilityPicker value={visibility} onPick={setVisibility} />
            <span class="space" />
            <Button look="primary" small busy={busy} disabled={!ready} onClick={() => void send()}>
              Post
            </Button>
          </div>
        )}
      </div>
    </section>
  );
}

export function EditPost({ post, onClose }: { post: Post; onClose(): void }) {
  const [text, setText] = useState(post.text);
  const [visibility, setVisibility] = useState(post.visibility);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);
  const changed = text !== post.text || visibility !== post.visibility;
  const ready = changed && text.trim() !== '' && characters(text) <= POST_CHARACTERS_MAX;

  async function save(): Promise<void> {
    if (!ready || busy) return;
    setBusy(true);
    setProblem(null);
    try {
      putPost(
        await parley.posts.update(post.id, {
          ...(text === post.text ? {} : { text: text.trim() }),
          ...(visibility === post.visibility ? {} : { visibility }),
        }),
      );
      onClose();
    } catch (caught) {
      setProblem(problemOf(caught));
      setBusy(false);
    }
  }

  return (
    <Dialog
      title="Edit post"
      unsaved={changed}
      onClose={onClose}
      footer={
        <>
          <VisibilityPicker value={visibility} onPick={setVisibility} />
          <span class="space" />
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" busy={busy} disabled={!ready} onClick={() => void save()}>
            Save
          </Button>
        </>
      }
    >
      {problem && problem.fields.length === 0 && <Banner kind="problem">{problem.message}</Banner>}
      <MarkedField
        label="Text of the post"
        value={text}
        max={POST_CHARACTERS_MAX}
        autofocus
        wrong={problem?.field('text')}
        onText={setText}
        onSubmit={() => void save()}
      />
    </Dialog>
  );
}
