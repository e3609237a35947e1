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
  // The first letter or digit of each word, whatever sign stands before it.
  const letters = name
    .split(/[\s._-]+/)
    .flatMap((word) => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? []);
  const first = letters[0] ?? '?';
  const last = letters.length > 1 ? letters.at(-1)! : '';
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
