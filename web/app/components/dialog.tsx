// A native modal dialog: the browser keeps the focus inside, gives it back afterwards, and closes
// it on Escape. Here only: opening, closing by a click beside it or by Back, asking before what was
// written is lost, and the frame.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { cover } from '../state/route';
import { Button, IconButton } from './button';
import { NoticesInside } from './small';

export function Dialog({
  title,
  unsaved = false,
  onClose,
  children,
  footer,
}: {
  title: string;
  /** Something is written here: a click beside does not close, and Escape asks first. */
  unsaved?: boolean;
  onClose(): void;
  children: ComponentChildren;
  footer?: ComponentChildren;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [asking, setAsking] = useState(false);
  const over = useRef(false);
  const leave = (): void => (unsaved ? setAsking(true) : onClose());
  useCover(leave);
  // Before the browser paints, and so before it looks for fields that want the focus.
  useLayoutEffect(() => {
    const dialog = element.current!;
    const before = document.activeElement as HTMLElement | null;
    dialog.showModal();
    return () => {
      over.current = true;
      dialog.close();
      before?.focus?.();
    };
  }, []);
  return (
    <>
      <dialog
        ref={element}
        class="dialog"
        aria-labelledby={id}
        onCancel={(event) => {
          event.preventDefault();
          leave();
        }}
        onClose={(event) => {
          // A second Escape is not asked about by browsers: they just close.
          if (over.current || event.target !== element.current) return;
          if (unsaved) event.currentTarget.showModal();
          leave();
        }}
        onMouseDown={(event) => {
          if (event.target === element.current && !unsaved) onClose();
        }}
      >
        <header>
          <h2 id={id}>{title}</h2>
          <IconButton icon="close" label="Close" onClick={leave} />
        </header>
        <div class="content">{children}</div>
        {footer && <footer>{footer}</footer>}
        <NoticesInside />
      </dialog>
      {asking && (
        <Confirm
          title="Discard what you wrote?"
          text="It is not kept anywhere."
          action="Discard"
          otherwise="Keep writing"
          onConfirm={onClose}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

/** For as long as it is drawn, Back leaves this and not the page. */
export function useCover(leave: () => void, when = true): void {
  const latest = useRef(leave);
  latest.current = leave;
  useLayoutEffect(() => (when ? cover(() => latest.current()) : undefined), [when]);
}

export function Confirm({
  title,
  text,
  action,
  otherwise = 'Cancel',
  busy,
  onConfirm,
  onClose,
}: {
  title: string;
  text: string;
  action: string;
  otherwise?: string;
  busy?: boolean;
  onConfirm(): void;
  onClose(): void;
}) {
  return (
    <Dialog
      title={title}
      onClose={onClose}
      footer={
        <>
          {/* First, rather than the cross above: it is one of the two answers. */}
          <Button autofocus onClick={onClose}>
            {otherwise}
          </Button>
          <Button look="danger" busy={busy ?? false} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      <p>{text}</p>
    </Dialog>
  );
}
