// Every page of the signed-in client, and what the rail shows. To add one:
//
// 1. Write pages/<name>.tsx with a default export: a component that takes `PageProps` and draws a
//    <Page> (components/page.tsx), which brings the heading, the scrolling and the focus with it.
// 2. Add a row to `pages`. ':name' in its path is one segment, handed over in `params`. A page is a
//    piece of its own that is loaded when it is first wanted; `title` names the window meanwhile.
//    Its parts are made anew when the path changes, unless several rows share the same `keep`.
// 3. To have it in the rail, add a row to `rail` and name that row's `id` in the pages it covers.
//    `phone` puts it into the bar of a narrow window; the rest is behind "More" there.
// 4. Styles: a file in styles/, imported in styles/app.css. Events of the server: a function in
//    state/<subject>.ts that listens, and one that forgets, named in state/live.ts.
import type { ComponentType } from 'preact';
import type { IconName } from './components/icon';
import type { User } from '../sdk/index';
import { unreadTotal } from './state/chats';
import { requestCount } from './state/relations';
import { me } from './state/session';

export interface PageProps {
  params: Record<string, string>;
}

export interface PageRow {
  path: string;
  title: string;
  load(): Promise<{ default: ComponentType<PageProps> }>;
  rail?: string;
  keep?: string;
  /** Who may see it; for everybody else there is no such page. */
  for?(user: User): boolean;
}

export interface RailRow {
  id: string;
  label: string;
  icon: IconName;
  path(user: User): string;
  phone?: boolean;
  /** Stands at the rail's lower end. */
  low?: boolean;
  badge?: { count(): number; label: string };
  for?(user: User): boolean;
}

const messenger = () => import('./pages/messenger');
const admin = () => import('./pages/admin');
const staff = (user: User): boolean => user.role === 'admin' || user.role === 'moderator';

export const pages: readonly PageRow[] = [
  { path: '/', title: 'Home', load: () => import('./pages/home'), rail: 'home' },
  { path: '/chats', title: 'Chats', load: messenger, rail: 'chats', keep: 'chats' },
  { path: '/c/:chat', title: 'Chats', load: messenger, rail: 'chats', keep: 'chats' },
  { path: '/people', title: 'People', load: () => import('./pages/people'), rail: 'people' },
  { path: '/u/:username', title: 'Profile', load: () => import('./pages/profile') },
  { path: '/p/:post', title: 'Post', load: () => import('./pages/post'), rail: 'home' },
  { path: '/tags/:tag', title: 'Tag', load: () => import('./pages/tag'), rail: 'home' },
  {
    path: '/bookmarks',
    title: 'Bookmarks',
    load: () => import('./pages/bookmarks'),
    rail: 'bookmarks',
  },
  { path: '/events', title: 'Events', load: () => import('./pages/events'), rail: 'events' },
  { path: '/events/:event', title: 'Event', load: () => import('./pages/event'), rail: 'events' },
  {
    path: '/signals',
    title: 'Trade signals',
    load: () => import('./pages/signals'),
    rail: 'signals',
  },
  {
    path: '/admin',
    title: 'Administration',
    load: admin,
    rail: 'admin',
    keep: 'admin',
    for: staff,
  },
  {
    path: '/admin/:area',
    title: 'Administration',
    load: admin,
    rail: 'admin',
    keep: 'admin',
    for: staff,
  },
  {
    path: '/settings',
    title: 'Settings',
    load: () => import('./pages/settings'),
    rail: 'settings',
  },
];

export const rail: readonly RailRow[] = [
  { id: 'home', label: 'Home', icon: 'home', path: () => '/', phone: true },
  {
    id: 'chats',
    label: 'Chats',
    icon: 'chat',
    path: () => '/chats',
    phone: true,
    badge: { count: () => unreadTotal.value, label: 'unread' },
  },
  {
    id: 'people',
    label: 'People',
    icon: 'group',
    path: () => (requestCount.value > 0 ? '/people?tab=requests' : '/people'),
    phone: true,
    badge: { count: () => requestCount.value, label: 'follow requests' },
  },
  { id: 'events', label: 'Events', icon: 'calendar', path: () => '/events', phone: true },
  { id: 'signals', label: 'Signals', icon: 'chart', path: () => '/signals' },
  { id: 'bookmarks', label: 'Bookmarks', icon: 'bookmark', path: () => '/bookmarks' },
  {
    id: 'profile',
    label: 'Profile',
    icon: 'user',
    path: (user) => `/u/${user.username}`,
    phone: true,
    low: true,
  },
  {
    id: 'admin',
    label: 'Admin',
    icon: 'shield',
    path: () => '/admin',
    low: true,
    for: staff,
  },
  { id: 'settings', label: 'Settings', icon: 'settings', path: () => '/settings', low: true },
];

export interface Match {
  row: PageRow;
  params: Record<string, string>;
}

/** The page at a path for whoever is signed in. */
export function pageAt(path: string): Match | null {
  const match = rowAt(path);
  const mine = !match?.row.for || (me.value !== null && match.row.for(me.value));
  return mine ? match : null;
}

/** Whoever may see it. */
export function rowAt(path: string): Match | null {
  for (const row of pages) {
    const params = matches(row.path, path);
    if (params) return { row, params };
  }
  return null;
}

function matches(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const found = path.replace(/(.)\/$/, '$1').split('/');
  if (wanted.length !== found.length) return null;
  const params: Record<string, string> = {};
  for (let i = 0; i < wanted.length; i++) {
    if (!wanted[i]!.startsWith(':')) {
      if (wanted[i] !== found[i]) return null;
    } else if (!found[i]) return null;
    else {
      try {
        params[wanted[i]!.slice(1)] = decodeURIComponent(found[i]!);
      } catch {
        return null;
      }
    }
  }
  return params;
}
