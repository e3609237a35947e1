import type { ComponentChildren, JSX } from 'preact';
import { Icon, type IconName } from './icon';

type Native = Omit<JSX.IntrinsicElements['button'], 'class' | 'icon' | 'size'>;

interface ButtonProps extends Native {
  look?: 'normal' | 'primary' | 'danger' | 'plain';
  icon?: IconName;
  small?: boolean;
  wide?: boolean;
  /** Shows a spinner and takes no more clicks; keeps its width and its focus. */
  busy?: boolean;
  children: ComponentChildren;
}

export function Button({
  look = 'normal',
  icon,
  small,
  wide,
  busy,
  children,
  onClick,
  ...rest
}: ButtonProps) {
  const names = ['button', look, small && 'small', wide && 'wide'].filter(Boolean).join(' ');
  return (
    <button
      type="button"
      {...rest}
      class={names}
      aria-busy={busy ? 'true' : undefined}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {busy ? <span class="spinner" /> : icon && <Icon name={icon} size={18} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Native {
  icon: IconName;
  /** What it does: its name for screen readers, and its tooltip. */
  label: string;
  small?: boolean;
  extra?: string;
}

export function IconButton({ icon, label, small, extra, ...rest }: IconButtonProps) {
  const names = ['icon-button', small && 'small', extra].filter(Boolean).join(' ');
  return (
    <button type="button" title={label} {...rest} class={names} aria-label={label}>
      <Icon name={icon} size={small ? 18 : 21} />
    </button>
  );
}
