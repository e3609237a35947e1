// What stands around every page of a signed-in person: the rail (a bar below on narrow windows),
// the page that the path names, and the keys that work everywhere.
import type { ComponentType } from 'preact';
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import { Button } from './components/button';
import { Icon, Mark } from './components/icon';
import { Page } from './components/page';
import { PersonAvatar } from './components/person';
import { Menu } from './components/popover';
import { Badge, Empty, ReconnectingPill } from './components/small';
import {
  pageAt,
  rail,
  rowAt,
  type Match,
  type PageProps,
  type PageRow,
  type RailRow,
} from './pages';
import { connected } from './state/live';
import { navigate, path } from './state/route';
import { me } from './state/session';
import { pageTitle } from './state/title';

/** Addresses of the welcome page, of no use to somebody who is in. */
const welcomePaths = ['/signup', '/forgot'];

export function Shell() {
  useKeys();
  useEffect(() => {
    if (welcomePaths.includes(path.value)) navigate('/', true);
  }, [path.value]);
  const match = pageAt(path.value);
  return (
    <div class="shell">
      <a class="skip" href="#page" onClick={skip}>
        Skip to the page
      </a>
      <Rail lit={match?.row.rail ?? null} />
      <div class="stage">
        <ReconnectingPill />
        {match ? <Shown key={match.row.keep ?? path.value} match={match} /> : <Nothing />}
      </div>
    </div>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  const main = document.querySelector<HTMLElement>('main');
  main?.setAttribute('tabindex', '-1');
  main?.focus();
}

// --- the page -----------------------------------------------------------------------------------

const loaded = new Map<PageRow['load'], ComponentType<PageProps>>();

function Shown({ match }: { match: Match }) {
  const { row, params } = match;
  const [failed, setFailed] = useState(false);
  const [, again] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => void (pageTitle.value = row.title), [row]);
  const Content = loaded.get(row.load);
  /** Once more when the server is back; some browsers only do that when the page is loaded anew. */
  const fetchPage = (otherwise = (): void => setFailed(true)): void =>
    void load(row).then(() => again(undefined), otherwise);
  useEffect(() => {
    if (!Content) fetchPage();
  }, [row, connected.value]);
  if (Content) return <Content params={params} />;
  return failed ? (
    <Page title={row.title}>
      <Empty icon="alert" title="This page could not be loaded">
        <p>The server may be away, or have a newer version of this page.</p>
        <Button onClick={() => fetchPage(() => location.reload())}>Load again</Button>
      </Empty>
    </Page>
  ) : (
    <main class="page" aria-busy="true" aria-label={row.title} />
  );
}

async function load(row: PageRow): Promise<void> {
  if (!loaded.has(row.load)) loaded.set(row.load, (await row.load()).default);
}

/** While it is found out who is there, the page that they are likely to see comes already. */
export function loadEarly(): void {
  const match = rowAt(path.peek());
  if (match) void load(match.row).catch(() => undefined);
}

function Nothing() {
  return (
    <Page title="Not here">
      <Empty icon="search" title="There is nothing at this address">
        <p>It may have been removed, or the address is not quite right.</p>
        <Button look="primary" onClick={() => navigate('/')}>
          Go home
        </Button>
      </Empty>
    </Page>
  );
}

// --- the rail -----------------------------------------------------------------------------------

const shownTo = (row: RailRow): boolean => me.value !== null && (row.for?.(me.value) ?? true);

function Rail({ lit }: { lit: string | null }) {
  const rows = rail.filter(shownTo);
  const more = rows.filter((row) => !row.phone);
  return (
    <nav class="rail" aria-label="Main">
      <a class="home-mark" href="/" aria-label="Parley">
        <Mark size={34} />
      </a>
      <ul>
        {rows.map((row) => (
          <li key={row.id} class={`${row.phone ? 'phone' : ''} ${row.low ? 'low' : ''}`}>
            <RailLink row={row} lit={row.id === lit || row.path(me.value!) === path.value} />
          </li>
        ))}
        {more.length > 0 && <More rows={more} lit={more.some((row) => row.id === lit)} />}
      </ul>
    </nav>
  );
}

function RailLink({ row, lit }: { row: RailRow; lit: boolean }) {
  const to = row.path(me.value!);
  const count = row.badge?.count() ?? 0;
  const early = (): void => {
    const page = pageAt(to);
    if (page) void load(page.row).catch(() => undefined);
  };
  return (
    <a
      class="rail-link"
      href={to}
      aria-label={count > 0 ? `${row.label}, ${count} ${row.badge!.label}` : undefined}
      aria-current={lit ? 'page' : undefined}
      onPointerEnter={early}
      onFocus={early}
    >
      <span class="sign">
        {row.id === 'profile' ? (
          <PersonAvatar id={me.value!.id} size="small" />
        ) : (
          <Icon name={row.icon} size={23} />
        )}
        {row.badge && <Badge count={count} label={row.badge.label} />}
      </span>
      <span class="word">{row.label}</span>
    </a>
  );
}

/** What has no room in the bar of a narrow window. */
function More({ rows, lit }: { rows: RailRow[]; lit: boolean }) {
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLButtonElement>(null);
  return (
    <li class="phone more">
      <button
        ref={anchor}
        type="button"
        class="rail-link"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-current={lit ? 'page' : undefined}
        onClick={() => setOpen(true)}
      >
        <span class="sign">
          <Icon name="menu" size={23} />
        </span>
        <span class="word">More</span>
      </button>
      {open && (
        <Menu
          anchor={anchor}
          label="More"
          onClose={() => setOpen(false)}
          items={rows.map((row) => ({
            icon: row.icon,
            label: row.label,
            act: () => navigate(row.path(me.value!)),
          }))}
        />
      )}
    </li>
  );
}

// --- keys ---------------------------------------------------------------------------------------

/** Ctrl+K goes to the page's own search, and otherwise to the search for people. */
function useKeys(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k') return;
      if (document.querySelector('dialog[open]')) return;
      event.preventDefault();
      const field = document.querySelector<HTMLInputElement>('.stage input[type=search]');
      if (field) field.focus();
      else navigate('/people');
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}
