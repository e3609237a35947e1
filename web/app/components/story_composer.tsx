// Write a story of words: as it will look, on the ground it will stand on.
import { useState } from 'preact/hooks';
import type { ParleyError, StoryVisibility } from '../../sdk/index';
import { characters } from '../format';
import { notify } from '../state/notices';
import { problemOf } from '../state/problem';
import { me } from '../state/session';
import { postStory } from '../state/stories';
import { hueOf } from './avatar';
import { Button } from './button';
import { Dialog } from './dialog';
import { Banner } from './small';
import { VisibilityPicker } from './visibility';

const STORY_CHARACTERS_MAX = 2000;

export function StoryComposer({ onClose }: { onClose(): void }) {
  const [text, setText] = useState('');
  const [visibility, setVisibility] = useState<StoryVisibility>('followers');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);
  const left = STORY_CHARACTERS_MAX - characters(text);
  const ready = text.trim() !== '' && left >= 0;

  async function share(): Promise<void> {
    if (!ready || busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await postStory({ text: text.trim(), visibility });
      onClose();
      notify('Your story is there for 24 hours.');
    } catch (caught) {
      setProblem(problemOf(caught));
      setBusy(false);
    }
  }

  return (
    <Dialog
      title="New story"
      unsaved={text.trim() !== ''}
      onClose={onClose}
      footer={
        <>
          <VisibilityPicker
            value={visibility}
            without={['private']}
            onPick={(next) => setVisibility(next as StoryVisibility)}
          />
          <span class="space" />
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" busy={busy} disabled={!ready} onClick={() => void share()}>
            Share
          </Button>
        </>
      }
    >
      {problem && <Banner kind="problem">{problem.field('text') ?? problem.message}</Banner>}
      <div class="story-paper" style={{ '--hue': hueOf(me.value!.id) }}>
        <textarea
          aria-label="Text of the story"
          placeholder="Say something…"
          class={sizeOf(text)}
          value={text}
          dir="auto"
          autofocus
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void share();
          }}
        />
      </div>
      <p class={`left${left < 0 ? ' over' : ''}`} role="status">
        {left < 200 && (left < 0 ? `${-left} characters too many` : `${left} characters left`)}
      </p>
    </Dialog>
  );
}

/** Few words are written large. */
export function sizeOf(text: string): string {
  return text.length < 80 ? 'huge' : text.length < 280 ? 'big' : 'small';
}
