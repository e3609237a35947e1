// A box beside the control that opened it, in the browser's top layer: closed by Escape, by a click
// elsewhere, by Tab, or by choosing. Arrow keys walk its buttons, in rows where it is a grid.
import type { ComponentChildren, RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icon';

interface PopoverProps {
  anchor: RefObject<HTMLElement | null>;
  label: string;
  role: 'menu' | 'dialog';
  columns?: number;
  extra?: string;
  onClose(): void;
  children: ComponentChildren;
}

export function Popover({
  anchor,
  label,
  role,
  columns = 1,
  extra,
  onClose,
  children,
}: PopoverProps) {
  const element = useRef<HTMLDivElement>(null);
  const tabbing = useRef(false);
  useLayoutEffect(() => {
    const box = element.current!;
    const opener = anchor.current;
    box.showPopover();
    if (opener) place(box, opener);
    box.querySelector<HTMLElement>('button')?.focus();
    const onToggle = (event: Event): void => {
      if ((event as ToggleEvent).newState === 'closed') onClose();
    };
    box.addEventListener('toggle', onToggle);
    return () => {
      box.removeEventListener('toggle', onToggle);
      const inside = box.contains(document.activeElement);
      // Its anchor may be what stands around the control.
      const control = opener?.matches('button, a') ? opener : opener?.querySelector('button');
      if (inside) control?.focus();
    };
  }, []);
  return (
    <div
      ref={element}
      popover="auto"
      role={role}
      aria-label={label}
      class={`popover ${extra ?? ''}`}
      onKeyDown={(event) => {
        tabbing.current = event.key === 'Tab';
        walk(event, element.current!, columns);
      }}
      onFocusOut={(event) => {
        const inside = element.current!.contains(event.relatedTarget as Node | null);
        if (tabbing.current && !inside) onClose();
      }}
    >
      {children}
    </div>
  );
}

/** Below the opener, or above where there is more room, and never outside the window. */
function place(box: HTMLElement, opener: HTMLElement): void {
  const at = opener.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const below = innerHeight - at.bottom > height + 12 || at.top < height + 12;
  const top = below ? at.bottom + 6 : at.top - height - 6;
  const left = Math.min(Math.max(8, at.left + at.width / 2 - width / 2), innerWidth - width - 8);
  box.style.top = `${Math.max(8, Math.min(top, innerHeight - height - 8))}px`;
  box.style.left = `${left}px`;
}

function walk(event: KeyboardEvent, box: HTMLElement, columns: number): void {
  const step = { ArrowDown: columns, ArrowUp: -columns, ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const buttons = [...box.querySelectorAll<HTMLElement>('button:not(:disabled)')];
  const now = buttons.indexOf(document.activeElement as HTMLElement);
  let next = step === undefined ? -1 : (now + step + buttons.length) % buttons.length;
  if (event.key === 'Home') next = 0;
  else if (event.key === 'End') next = buttons.length - 1;
  else if (step === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  buttons[next]?.focus();
}

export interface MenuItem {
  icon: IconName;
  label: string;
  danger?: boolean;
  act(): void;
}

export function Menu({
  anchor,
  label,
  items,
  onClose,
}: {
  anchor: RefObject<HTMLElement | null>;
  label: string;
  items: MenuItem[];
  onClose(): void;
}) {
  return (
    <Popover anchor={anchor} label={label} role="menu" extra="menu" onClose={onClose}>
      {items.map((item) => (
        <button
          key={item.label}
          type="button"
          role="menuitem"
          class={item.danger ? 'danger' : ''}
          onClick={() => {
            onClose();
            item.act();
          }}
        >
          <Icon name={item.icon} size={18} />
          {item.label}
        </button>
      ))}
    </Popover>
  );
}
