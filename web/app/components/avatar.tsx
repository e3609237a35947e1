// A face, or the initials on a colour that the id decides, so that it is the same everywhere.
import { useState } from 'preact/hooks';
import type { Id } from '../../sdk/index';

export function hueOf(id: Id): number {
  let hash = 0;
  for (let i = 0; i < id.length; i++) hash = (Math.imul(hash, 31) + id.charCodeAt(i)) | 0;
  // Ids made together differ in few characters; mixed, so that their colours differ all the same.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) % 18) * 20;
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
  const [broken, setBroken] = useState<string | null>(null);
  return (
    <span
      class={`avatar ${size}${group ? ' square' : ''}`}
      style={{ '--hue': hueOf(id) }}
      aria-hidden="true"
    >
      {image && image !== broken ? (
        <img src={image} alt="" loading="lazy" onError={() => setBroken(image)} />
      ) : (
        initialsOf(name)
      )}
      {online && <span class="dot" />}
    </span>
  );
}
