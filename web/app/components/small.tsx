// The smallest parts: badge, spinner, empty place, waiting shapes, notes, the reconnecting pill.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useMemo } from 'preact/hooks';
import { reconnecting } from '../state/live';
import { useReturn } from '../state/missed';
import { dismiss, notices, spoken, windows } from '../state/notices';
import { Button, IconButton } from './button';
import { Icon, type IconName } from './icon';

export function Badge({ count, label }: { count: number; label: string }) {
  if (count <= 0) return null;
  return (
    <span class="badge">
      <span aria-hidden="true">{count > 99 ? '99+' : count}</span>
      <span class="visually-hidden">{`${count} ${label}`}</span>
    </span>
  );
}

export function Empty({
  icon,
  title,
  children,
}: {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <span class="picture">
        <Icon name={icon} size={34} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Banner({
  kind,
  children,
}: {
  kind: 'problem' | 'warn' | 'info';
  children: ComponentChildren;
}) {
  return (
    <div class={`banner ${kind}`} role={kind === 'problem' ? 'alert' : 'status'}>
      <Icon name={kind === 'info' ? 'info' : 'alert'} size={18} />
      <div>{children}</div>
    </div>
  );
}

/** What could not be loaded, and the way out, which is also gone when the connection is back. */
export function TryAgain({ retry, children }: { retry(): unknown; children: ComponentChildren }) {
  useReturn(retry);
  return (
    <Banner kind="problem">
      {children}{' '}
      <Button look="plain" small onClick={() => void retry()}>
        Try again
      </Button>
    </Banner>
  );
}

/** Shapes of what is to come, of the same size, so that nothing jumps. */
export function ChatListSkeleton() {
  return (
    <div aria-hidden="true">
      {[62, 44, 71, 53, 66, 48].map((width, index) => (
        <div class="chat-row" key={index}>
          <span class="skeleton round avatar" />
          <span class="lines">
            <Bone width={`${width}%`} />
            <Bone width={`${90 - width / 2}%`} />
          </span>
        </div>
      ))}
    </div>
  );
}

function Bone({ width }: { width: string }) {
  return <span class="skeleton" style={{ width, height: '13px', margin: '3px 0' }} />;
}

function NoticeList() {
  return (
    <div class="notices" role="status">
      {notices.value.map((notice) => (
        <div class={`notice ${notice.kind}`} key={notice.key}>
          <span>{notice.text}</span>
          <IconButton icon="close" label="Dismiss" small onClick={() => dismiss(notice.key)} />
        </div>
      ))}
    </div>
  );
}

/** The notes inside a modal window, for as long as it is the uppermost one. */
export function NoticesInside() {
  const own = useMemo(() => Symbol('window'), []);
  useLayoutEffect(() => {
    windows.value = [...windows.peek(), own];
    return () => (windows.value = windows.peek().filter((one) => one !== own));
  }, []);
  return windows.value.at(-1) === own ? <NoticeList /> : null;
}

export function Notices() {
  return (
    <>
      {windows.value.length === 0 && <NoticeList />}
      <div class="visually-hidden" role="log" aria-live="polite" data-testid="announcer">
        {spoken.value}
      </div>
    </>
  );
}

export function ReconnectingPill() {
  return (
    <div class="pill-place" role="status" data-testid="connection">
      {reconnecting.value && (
        <div class="pill">
          <span class="spinner" /> Reconnecting…
        </div>
      )}
    </div>
  );
}
