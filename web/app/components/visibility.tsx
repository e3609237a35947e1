// Who sees what one publishes: its sign, its words, and the control that chooses it.
import { useRef, useState } from 'preact/hooks';
import type { PostVisibility } from '../../sdk/index';
import { Icon, type IconName } from './icon';
import { Menu } from './popover';

export const visibilityIcons: Record<PostVisibility, IconName> = {
  public: 'globe',
  followers: 'group',
  private: 'lock',
};
export const visibilityWords: Record<PostVisibility, string> = {
  public: 'Everybody',
  followers: 'Followers',
  private: 'Only you',
};

export function VisibilityPicker({
  value,
  onPick,
  without = [],
}: {
  value: PostVisibility;
  onPick(value: PostVisibility): void;
  without?: PostVisibility[];
}) {
  const anchor = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const all = (['public', 'followers', 'private'] as const).filter((one) => !without.includes(one));
  return (
    <>
      <button
        ref={anchor}
        type="button"
        class="button small visibility"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={`Seen by: ${visibilityWords[value]}`}
        onClick={() => setOpen(true)}
      >
        <Icon name={visibilityIcons[value]} size={16} />
        {visibilityWords[value]}
      </button>
      {open && (
        <Menu
          anchor={anchor}
          label="Who sees it"
          onClose={() => setOpen(false)}
          items={all.map((one) => ({
            icon: visibilityIcons[one],
            label: visibilityWords[one],
            act: () => onPick(one),
          }))}
        />
      )}
    </>
  );
}
