// Calls about people's relations and what they publish. Names, paths and types, nothing else.
import type { Http } from './http';
import type { Id, Page, PageQuery, User } from './types';
import type {
  CalendarEvent,
  CalendarEventChange,
  CalendarEventQuery,
  CalendarLink,
  Comment,
  Like,
  NewCalendarEvent,
  NewComment,
  NewPost,
  NewReport,
  NewStory,
  NewTradeSignal,
  Post,
  PostChange,
  PostVersion,
  Relationship,
  Report,
  Rsvp,
  RsvpAnswer,
  RsvpStatus,
  Story,
  StoryViewer,
  TradeSignal,
  TradeSignalChange,
  TradeSignalStep,
} from './types_social';

/** A page of a list; nothing else in the query. */
const paged = <T>(http: Http, path: string, page: PageQuery = {}): Promise<Page<T>> =>
  http.call<Page<T>>(path, { query: { ...page } });

export const socialCalls = (http: Http) => {
  const set = (id: Id, what: string, method: 'PUT' | 'DELETE'): Promise<Relationship> =>
    http.call<Relationship>(`/users/${id}/${what}`, { method });
  return {
    relationship: (id: Id) => http.call<Relationship>(`/users/${id}/relationship`),
    follow: (id: Id) => set(id, 'follow', 'PUT'),
    unfollow: (id: Id) => set(id, 'follow', 'DELETE'),
    block: (id: Id) => set(id, 'block', 'PUT'),
    unblock: (id: Id) => set(id, 'block', 'DELETE'),
    mute: (id: Id) => set(id, 'mute', 'PUT'),
    unmute: (id: Id) => set(id, 'mute', 'DELETE'),
    followers: (id: Id, page?: PageQuery) => paged<User>(http, `/users/${id}/followers`, page),
    following: (id: Id, page?: PageQuery) => paged<User>(http, `/users/${id}/following`, page),
    requests: (page?: PageQuery) => paged<User>(http, '/follow-requests', page),
    accept: (id: Id) => http.call<void>(`/follow-requests/${id}`, { method: 'PUT' }),
    refuse: (id: Id) => http.call<void>(`/follow-requests/${id}`, { method: 'DELETE' }),
    blocked: (page?: PageQuery) => paged<User>(http, '/users/me/blocks', page),
    muted: (page?: PageQuery) => paged<User>(http, '/users/me/mutes', page),
    report: (report: NewReport) => http.call<Report>('/reports', { method: 'POST', body: report }),
  };
};

export const postCalls = (http: Http) => ({
  create: (post: NewPost, idempotencyKey?: string) =>
    http.call<Post>('/posts', {
      method: 'POST',
      body: post,
      ...(idempotencyKey ? { headers: { 'idempotency-key': idempotencyKey } } : {}),
    }),
  get: (id: Id) => http.call<Post>(`/posts/${id}`),
  update: (id: Id, change: PostChange) =>
    http.call<Post>(`/posts/${id}`, { method: 'PATCH', body: change }),
  delete: (id: Id) => http.call<void>(`/posts/${id}`, { method: 'DELETE' }),
  like: (id: Id) => http.call<Post>(`/posts/${id}/like`, { method: 'PUT' }),
  unlike: (id: Id) => http.call<Post>(`/posts/${id}/like`, { method: 'DELETE' }),
  bookmark: (id: Id) => http.call<Post>(`/posts/${id}/bookmark`, { method: 'PUT' }),
  unbookmark: (id: Id) => http.call<Post>(`/posts/${id}/bookmark`, { method: 'DELETE' }),
  likes: (id: Id, page?: PageQuery) => paged<Like>(http, `/posts/${id}/likes`, page),
  history: (id: Id, page?: PageQuery) => paged<PostVersion>(http, `/posts/${id}/history`, page),
  feed: (page?: PageQuery) => paged<Post>(http, '/feed', page),
  popular: (page?: PageQuery) => paged<Post>(http, '/posts/popular', page),
  bookmarks: (page?: PageQuery) => paged<Post>(http, '/bookmarks', page),
  ofUser: (id: Id, page?: PageQuery) => paged<Post>(http, `/users/${id}/posts`, page),
  ofTag: (tag: string, page?: PageQuery) =>
    paged<Post>(http, `/tags/${encodeURIComponent(tag)}/posts`, page),
});

export const commentCalls = (http: Http) => ({
  /** Without reply_to the answers to the post itself; oldest first. */
  list: (post: Id, page: PageQuery & { reply_to?: Id } = {}) =>
    paged<Comment>(http, `/posts/${post}/comments`, page),
  create: (post: Id, comment: NewComment, idempotencyKey?: string) =>
    http.call<Comment>(`/posts/${post}/comments`, {
      method: 'POST',
      body: comment,
      ...(idempotencyKey ? { headers: { 'idempotency-key': idempotencyKey } } : {}),
    }),
  update: (post: Id, id: Id, text: string) =>
    http.call<Comment>(`/posts/${post}/comments/${id}`, { method: 'PATCH', body: { text } }),
  delete: (post: Id, id: Id) =>
    http.call<void>(`/posts/${post}/comments/${id}`, { method: 'DELETE' }),
});

export const storyCalls = (http: Http) => ({
  create: (story: NewStory) => http.call<Story>('/stories', { method: 'POST', body: story }),
  /** Authors with something unseen first, each author's oldest first. */
  list: (page?: PageQuery) => paged<Story>(http, '/stories', page),
  ofUser: (id: Id, page?: PageQuery) => paged<Story>(http, `/users/${id}/stories`, page),
  view: (id: Id) => http.call<unknown>(`/stories/${id}/view`, { method: 'PUT' }),
  viewers: (id: Id, page?: PageQuery) => paged<StoryViewer>(http, `/stories/${id}/viewers`, page),
  delete: (id: Id) => http.call<void>(`/stories/${id}`, { method: 'DELETE' }),
});

export const eventCalls = (http: Http) => ({
  create: (event: NewCalendarEvent) =>
    http.call<CalendarEvent>('/events', { method: 'POST', body: event }),
  /** In order of their start; without `from` those that are not over. */
  list: (query?: PageQuery & CalendarEventQuery) => paged<CalendarEvent>(http, '/events', query),
  get: (id: Id) => http.call<CalendarEvent>(`/events/${id}`),
  update: (id: Id, change: CalendarEventChange) =>
    http.call<CalendarEvent>(`/events/${id}`, { method: 'PATCH', body: change }),
  cancel: (id: Id) => http.call<void>(`/events/${id}`, { method: 'DELETE' }),
  rsvp: (id: Id, status: RsvpAnswer) =>
    http.call<Rsvp>(`/events/${id}/rsvp`, { method: 'PUT', body: { status } }),
  attendees: (id: Id, query?: PageQuery & { status?: RsvpStatus }) =>
    paged<Rsvp>(http, `/events/${id}/attendees`, query),
  invite: (id: Id, user: Id) => http.call<void>(`/events/${id}/invites/${user}`, { method: 'PUT' }),
  uninvite: (id: Id, user: Id) =>
    http.call<void>(`/events/${id}/invites/${user}`, { method: 'DELETE' }),
  /** The iCalendar file of one event, or with null of all of one's own. */
  calendar: (id: Id | null) =>
    http.text(id === null ? '/users/me/calendar.ics' : `/events/${id}/calendar.ics`),
  /** A new secret address of one's calendar, for calendar applications; the one before ends. */
  makeCalendarLink: () => http.call<CalendarLink>('/users/me/calendar-link', { method: 'POST' }),
  endCalendarLink: () => http.call<void>('/users/me/calendar-link', { method: 'DELETE' }),
});

export const signalCalls = (http: Http) => ({
  create: (signal: NewTradeSignal) =>
    http.call<TradeSignal>('/trade-signals', { method: 'POST', body: signal }),
  /** One's own. */
  list: (page?: PageQuery) => paged<TradeSignal>(http, '/trade-signals', page),
  approved: (page?: PageQuery) => paged<TradeSignal>(http, '/trade-signals/approved', page),
  get: (id: Id) => http.call<TradeSignal>(`/trade-signals/${id}`),
  update: (id: Id, change: TradeSignalChange) =>
    http.call<TradeSignal>(`/trade-signals/${id}`, { method: 'PATCH', body: change }),
  delete: (id: Id) => http.call<void>(`/trade-signals/${id}`, { method: 'DELETE' }),
  history: (id: Id, page?: PageQuery) =>
    paged<TradeSignalStep>(http, `/trade-signals/${id}/history`, page),
});
