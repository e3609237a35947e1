// People offered while a name is typed after an @: arrows choose, Enter or Tab takes, Escape closes.
import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useId, useRef } from 'preact/hooks';
import type { User } from '../../sdk/index';
import { usePeople } from '../state/find_people';
import { PersonWords } from './person';

export interface Offers {
  list: User[];
  at: number;
  id: string;
  field: Record<string, string | boolean | undefined>;
  look(): void;
  close(): void;
  key(event: KeyboardEvent): boolean;
  take(user: User): void;
}

const begun = /(?:^|[^\p{L}\p{M}\p{N}_])@([a-zA-Z0-9._]{1,32})$/u;
const OFFERED_MAX = 5;

export function useNameOffers(
  field: RefObject<HTMLTextAreaElement | null>,
  value: string,
  onText: (text: string) => void,
): Offers {
  const word = useSignal('');
  const at = useSignal(0);
  const id = useId();
  const latest = useRef(value);
  latest.current = value;
  const list = usePeople(word.value).list.slice(0, OFFERED_MAX);
  const open = word.value !== '' && list.length > 0;

  const close = (): void => void (word.value = '');
  const look = (): void => {
    const element = field.current!;
    word.value = begun.exec(element.value.slice(0, element.selectionStart))?.[1] ?? '';
    at.value = 0;
  };
  const take = (user: User): void => {
    const element = field.current!;
    const text = element.value;
    const end = element.selectionStart;
    const begin = end - word.peek().length;
    const next = `${text.slice(0, begin)}${user.username} ${text.slice(end).replace(/^ /, '')}`;
    onText(next);
    close();
    requestAnimationFrame(() => {
      element.focus();
      const caret = begin + user.username.length + 1;
      element.setSelectionRange(caret, caret);
    });
  };
  const key = (event: KeyboardEvent): boolean => {
    if (!open || event.ctrlKey || event.metaKey) return false;
    if (event.key === 'ArrowDown') at.value = (at.value + 1) % list.length;
    else if (event.key === 'ArrowUp') at.value = (at.value + list.length - 1) % list.length;
    else if (event.key === 'Enter' || event.key === 'Tab') take(list[at.value]!);
    else if (event.key === 'Escape') {
      close();
      event.stopPropagation();
    } else return false;
    event.preventDefault();
    return true;
  };
  return {
    list: open ? list : [],
    at: at.value,
    id,
    field: {
      'aria-autocomplete': 'list',
      'aria-controls': open ? id : undefined,
      'aria-activedescendant': open ? `${id}-${at.value}` : undefined,
    },
    look,
    close,
    key,
    take,
  };
}

export function NameOffers({ offers }: { offers: Offers }) {
  if (offers.list.length === 0) return null;
  return (
    <ul class="name-offers" role="listbox" id={offers.id} aria-label="People">
      {offers.list.map((user, index) => (
        <li
          key={user.id}
          id={`${offers.id}-${index}`}
          role="option"
          aria-selected={index === offers.at}
          class={`person${index === offers.at ? ' active' : ''}`}
          onMouseDown={(event) => {
            // Before the field loses the focus.
            event.preventDefault();
            offers.take(user);
          }}
        >
          <PersonWords user={user} />
        </li>
      ))}
    </ul>
  );
}
