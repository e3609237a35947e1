// A face, or the initials on a colour that the id decides, so that it is the same everywhere.
import type { Id } from '../../sdk/index';

export function hueOf(id: Id): number {
  // FNV-1a: ids made in the same second differ in a few characters only, colours should not.
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return ((hash >>> 8) % 36) * 10;
}

export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = [...(words[0] ?? '?')][0] ?? '?';
  const last = words.length > 1 ? ([...words.at(-1)!][0] ?? '') : '';
  return (first + last).toLocaleUpperCase();
}

interface AvatarProps {
  id: Id;
  name: string;
  image?: string | null;
  size?: 'small' | 'medium' | 'normal' | 'large';
  group?: boolean;
  online?: boolean;
}

/** Decoration: the name always stands beside it. */
export function Avatar({ id, name, image, size = 'normal', group, online }: AvatarProps) {
  return (
    <span
      class={`avatar ${size}${group ? ' square' : ''}`}
      style={{ '--hue': hueOf(id) }}
      aria-hidden="true"
    >
      {image ? <img src={image} alt="" loading="lazy" /> : initialsOf(name)}
      {online && <span class="dot" />}
    </span>
  );
}
