// The faces above the feed: who has something to tell today. A ring means that one has not seen it.
import { useEffect, useState } from 'preact/hooks';
import type { Id } from '../../sdk/index';
import { missed, useReturn } from '../state/missed';
import { navigate, query } from '../state/route';
import { me } from '../state/session';
import {
  loadStories,
  othersStories,
  ownStories,
  retryStories,
  storiesLoaded,
} from '../state/stories';
import { userName } from '../state/users';
import { Icon } from './icon';
import { PersonAvatar } from './person';
import { StoryComposer } from './story_composer';
import { StoryViewer } from './story_viewer';

export function StoriesBar() {
  const [writing, setWriting] = useState(false);
  useEffect(() => void loadStories(), [missed.value]);
  useReturn(retryStories);
  const own = ownStories.value;
  const shown = query.value.get('story');
  const user = me.value;
  if (!user) return null;
  return (
    <section class="stories" aria-label="Stories">
      <ul>
        <li>
          <div class="story-face own">
            <button
              type="button"
              class={`ring${own ? ' seen' : ' none'}`}
              aria-label={own ? `Your story, ${own.stories.length}` : 'Add a story'}
              onClick={() => (own ? look(user.id) : setWriting(true))}
            >
              <PersonAvatar id={user.id} />
            </button>
            <button
              type="button"
              class="plus"
              aria-label="New story"
              title="New story"
              onClick={() => setWriting(true)}
            >
              <Icon name="plus" size={15} />
            </button>
            <span class="word" aria-hidden="true">
              Your story
            </span>
          </div>
        </li>
        {!storiesLoaded.value &&
          [0, 1, 2].map((index) => (
            <li key={index} aria-hidden="true">
              <div class="story-face">
                <span class="ring none">
                  <span class="skeleton round avatar" />
                </span>
              </div>
            </li>
          ))}
        {othersStories.value.map((group) => (
          <li key={group.userId}>
            <button
              type="button"
              class="story-face"
              aria-label={`Story by ${userName(group.userId)}${group.unseen ? ', new' : ''}`}
              onClick={() => look(group.userId)}
            >
              <span class={`ring${group.unseen ? '' : ' seen'}`}>
                <PersonAvatar id={group.userId} />
              </span>
              <span class="word" aria-hidden="true">
                {userName(group.userId).split(' ')[0]}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {writing && <StoryComposer onClose={() => setWriting(false)} />}
      {shown && storiesLoaded.value && <StoryViewer first={shown} />}
    </section>
  );
}

/** In the address, so that the way back closes it. */
const look = (userId: Id): void => navigate(`/?story=${userId}`);
