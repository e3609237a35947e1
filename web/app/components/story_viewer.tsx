// Stories, full screen, one after the other. A tap at the left goes back, anywhere else on; holding
// pauses; so do the space bar and everything that is opened above. Whoever asks the system for less
// motion goes on by themselves.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { parley } from '../client';
import type { Id, Story, StoryViewer as Viewer } from '../../sdk/index';
import { counted } from '../format';
import { PagedList, useList } from '../state/list';
import { back } from '../state/route';
import { me } from '../state/session';
import { deleteStory, markViewed, storyGroups } from '../state/stories';
import { nameOf } from '../state/users';
import { Ago } from './ago';
import { hueOf } from './avatar';
import { IconButton } from './button';
import { Confirm, Dialog } from './dialog';
import { Icon } from './icon';
import { Bones, ListView } from './list';
import { PersonAvatar, userFrom } from './person';
import { PersonLine } from './person_line';
import { Report } from './report';
import { RichText } from './rich_text';
import { NoticesInside } from './small';
import { sizeOf } from './story_composer';

/** Long enough to read it: a base, and some for every character. */
const timeFor = (story: Story): number => Math.min(15_000, 4000 + (story.text?.length ?? 0) * 55);
/** A finger that stays this long holds, as other applications count it. */
const HOLD_MS = 400;

interface Spot {
  author: Id;
  story: Id;
}

export function StoryViewer({ first }: { first: Id }) {
  // The order as it was at the beginning: seeing a story must not move the others about.
  const [order] = useState(() => inOrder(first));
  const [spot, setSpot] = useState<Spot | null>(() => startOf(first));
  const groups = storyGroups.value;
  const group = groups.find((one) => one.userId === spot?.author);
  const index = group?.stories.findIndex((one) => one.id === spot?.story) ?? -1;
  const story = group?.stories[index];
  const close = (): void => back('/');

  const step = (by: 1 | -1): void => {
    const next = group?.stories[index + by];
    if (next) return setSpot({ author: group!.userId, story: next.id });
    let at = order.indexOf(spot?.author ?? '') + by;
    while (at >= 0 && at < order.length) {
      const other = groups.find((one) => one.userId === order[at]);
      const target = by > 0 ? startOf(order[at]!) : lastOf(other);
      if (target) return setSpot(target);
      at += by;
    }
    if (by > 0) close();
  };

  // Deleted, or run out, while it was looked at.
  useEffect(() => {
    if (!story) step(1);
  }, [story === undefined]);
  useEffect(() => {
    if (story) markViewed(story);
  }, [story?.id]);
  if (!story) return null;
  return (
    <Stage story={story} count={group!.stories.length} index={index} step={step} close={close} />
  );
}

function inOrder(first: Id): Id[] {
  const own = me.peek()?.id;
  if (first === own) return [first];
  return storyGroups
    .peek()
    .map((group) => group.userId)
    .filter((id) => id !== own);
}

/** The first that has not been seen, or the first. */
function startOf(author: Id): Spot | null {
  const group = storyGroups.peek().find((one) => one.userId === author);
  const story = group?.stories.find((one) => !one.viewed) ?? group?.stories[0];
  return story ? { author, story: story.id } : null;
}

function lastOf(group: { userId: Id; stories: readonly Story[] } | undefined): Spot | null {
  const story = group?.stories.at(-1);
  return story ? { author: group!.userId, story: story.id } : null;
}

interface StageProps {
  story: Story;
  index: number;
  count: number;
  step(by: 1 | -1): void;
  close(): void;
}

type Above = 'viewers' | 'delete' | 'report' | null;

function Stage({ story, index, count, step, close }: StageProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [stopped, setStopped] = useState(false);
  const [held, setHeld] = useState(false);
  const [above, setAbove] = useState<Above>(null);
  const paused = stopped || held || above !== null;
  const own = story.user_id === me.value?.id;
  const author = userFrom(story.user_id);
  const still = useMemo(() => matchMedia('(prefers-reduced-motion: reduce)').matches, []);
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current!.showModal();
    return () => {
      dialog.current?.close();
      before?.focus?.();
    };
  }, []);
  useClock(story, paused || still, () => step(1));

  const onKey = (event: KeyboardEvent): void => {
    if (above) return;
    if (event.key === 'ArrowRight') step(1);
    else if (event.key === 'ArrowLeft') step(-1);
    else if (event.key === ' ' && !(event.target as Element).closest('button'))
      setStopped(!stopped);
    else return;
    event.preventDefault();
  };

  return (
    <dialog
      ref={dialog}
      class={`story-stage${paused ? ' paused' : ''}`}
      aria-label={`Story by ${nameOf(author)}`}
      onKeyDown={onKey}
      onCancel={(event) => {
        if (event.target !== dialog.current) return;
        event.preventDefault();
        close();
      }}
    >
      <div class="story-paper" style={{ '--hue': hueOf(story.user_id) }}>
        <div class="progress" aria-hidden="true">
          {Array.from({ length: count }, (_, at) => (
            <i
              key={`${story.id}-${at}`}
              class={at < index ? 'full' : at === index ? (still ? 'full' : 'now') : ''}
              style={{ '--time': `${timeFor(story)}ms` }}
            />
          ))}
        </div>
        <header>
          <PersonAvatar id={story.user_id} size="medium" />
          <span class="words">
            <a class="name" href={author ? `/u/${author.username}` : undefined}>
              {own ? 'Your story' : nameOf(author)}
            </a>
            <span class="note">
              <Ago time={story.created_at} />
              {story.visibility === 'followers' && ' · followers'}
              {count > 1 && <span class="visually-hidden">{`, ${index + 1} of ${count}`}</span>}
            </span>
          </span>
          {!still && (
            <IconButton
              icon={stopped ? 'play' : 'pause'}
              label={stopped ? 'Play' : 'Pause'}
              onClick={() => setStopped(!stopped)}
            />
          )}
          {own ? (
            <IconButton icon="trash" label="Delete story" onClick={() => setAbove('delete')} />
          ) : (
            <IconButton icon="flag" label="Report story" onClick={() => setAbove('report')} />
          )}
          <IconButton icon="close" label="Close" onClick={close} />
        </header>
        <div class={`content ${sizeOf(story.text ?? '')}`} aria-live="polite">
          <RichText text={story.text ?? ''} />
        </div>
        <Zones onHold={setHeld} step={step} />
        <footer>
          {own && (
            <button type="button" class="viewers" onClick={() => setAbove('viewers')}>
              <Icon name="eye" size={18} /> {counted(story.viewer_count ?? 0, 'view')}
            </button>
          )}
        </footer>
      </div>
      <NoticesInside />
      {above === 'viewers' && <Viewers story={story} onClose={() => setAbove(null)} />}
      {above === 'report' && <Report kind="story" id={story.id} onClose={() => setAbove(null)} />}
      {above === 'delete' && (
        <Confirm
          title="Delete this story?"
          text="It disappears for everybody, at once."
          action="Delete"
          onClose={() => setAbove(null)}
          onConfirm={() => {
            setAbove(null);
            void deleteStory(story);
          }}
        />
      )}
    </dialog>
  );
}

/** What is left of a story's time stands still while it is paused. */
function useClock(story: Story, paused: boolean, done: () => void): void {
  const left = useRef(0);
  const finish = useRef(done);
  finish.current = done;
  useEffect(() => {
    left.current = timeFor(story);
  }, [story.id]);
  useEffect(() => {
    if (paused) return undefined;
    const begun = performance.now();
    const timer = setTimeout(() => finish.current(), left.current);
    return () => {
      clearTimeout(timer);
      left.current -= performance.now() - begun;
    };
  }, [story.id, paused]);
}

function Zones({ onHold, step }: { onHold(held: boolean): void; step(by: 1 | -1): void }) {
  const since = useRef(0);
  const down = (event: PointerEvent): void => {
    since.current = event.timeStamp;
    onHold(true);
  };
  const up = (): void => onHold(false);
  /** The end of holding it is no tap. What counts is when the finger moved, not when a busy page
   * came to hear of it. */
  const tap = (by: 1 | -1) => (event: MouseEvent) => {
    const keyboard = event.detail === 0;
    if (keyboard || event.timeStamp - since.current < HOLD_MS) step(by);
  };
  const zone = { onPointerDown: down, onPointerUp: up, onPointerCancel: up, onPointerLeave: up };
  return (
    <div class="zones">
      <button type="button" aria-label="Previous story" {...zone} onClick={tap(-1)}>
        <Icon name="back" size={26} />
      </button>
      <button type="button" aria-label="Next story" {...zone} onClick={tap(1)}>
        <Icon name="back" size={26} />
      </button>
    </div>
  );
}

function Viewers({ story, onClose }: { story: Story; onClose(): void }) {
  const list = useMemo(
    () =>
      new PagedList<Viewer>(
        (query) => parley.stories.viewers(story.id, query),
        (viewer) => viewer.user_id,
        50,
      ),
    [story.id],
  );
  useList(list);
  return (
    <Dialog title="Seen by" onClose={onClose}>
      <div class="in-dialog" onScroll={() => void list.more()}>
        <ListView
          list={list}
          label="Viewers"
          plain
          keyOf={(viewer) => viewer.user_id}
          draw={(viewer) => (
            <PersonLine id={viewer.user_id} note={<Ago time={viewer.viewed_at} />} />
          )}
          empty={<p class="quiet">Nobody has seen it yet.</p>}
          skeleton={() => <Bones widths={['60%']} />}
        />
      </div>
    </Dialog>
  );
}
