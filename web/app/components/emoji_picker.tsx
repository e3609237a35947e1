// A small choice of emoji: the ones people use, not all there are.
import type { RefObject } from 'preact';
import { Popover } from './popover';

const choices: readonly (readonly [string, string])[] = [
  ['👍', 'thumbs up'],
  ['❤️', 'heart'],
  ['😂', 'tears of joy'],
  ['🎉', 'party'],
  ['😮', 'surprised'],
  ['😢', 'crying'],
  ['🙏', 'thanks'],
  ['🔥', 'fire'],
  ['😀', 'grinning'],
  ['😄', 'smiling'],
  ['😅', 'relieved'],
  ['😊', 'happy'],
  ['😍', 'in love'],
  ['😘', 'kiss'],
  ['😉', 'wink'],
  ['😎', 'cool'],
  ['🤔', 'thinking'],
  ['🤨', 'doubtful'],
  ['😐', 'neutral'],
  ['🙄', 'eye roll'],
  ['😴', 'sleeping'],
  ['😭', 'sobbing'],
  ['😡', 'angry'],
  ['🤯', 'mind blown'],
  ['🤗', 'hug'],
  ['🤝', 'handshake'],
  ['👏', 'clapping'],
  ['🙌', 'raised hands'],
  ['👎', 'thumbs down'],
  ['👀', 'eyes'],
  ['💪', 'strong'],
  ['👋', 'wave'],
  ['✅', 'done'],
  ['❌', 'no'],
  ['❓', 'question'],
  ['💯', 'hundred'],
  ['⭐', 'star'],
  ['💡', 'idea'],
  ['🚀', 'rocket'],
  ['🐛', 'bug'],
  ['☕', 'coffee'],
  ['🍕', 'pizza'],
  ['🎂', 'cake'],
  ['🍻', 'cheers'],
  ['🌞', 'sun'],
  ['🌧️', 'rain'],
  ['🌱', 'plant'],
  ['🎵', 'music'],
];

export function EmojiPicker({
  anchor,
  label,
  onPick,
  onClose,
}: {
  anchor: RefObject<HTMLElement | null>;
  label: string;
  onPick(emoji: string): void;
  onClose(): void;
}) {
  return (
    <Popover anchor={anchor} label={label} role="dialog" columns={8} onClose={onClose}>
      <div class="emoji-grid">
        {choices.map(([emoji, name]) => (
          <button
            key={emoji}
            type="button"
            aria-label={name}
            title={name}
            onClick={() => {
              onClose();
              onPick(emoji);
            }}
          >
            {emoji}
          </button>
        ))}
      </div>
    </Popover>
  );
}
