// The server's calls by area. Nothing here but names, paths and types.
import type { Connection } from './connection';
import type { Http } from './http';
import type {
  Chat,
  ChatChange,
  HistoryQuery,
  Id,
  Member,
  MemberRole,
  Message,
  NewChat,
  Page,
  PageQuery,
  Presence,
  PresenceStatus,
  Session,
  User,
  UserChange,
  VerifyChannel,
} from './types';

const query = (input: object = {}): Record<string, string | number | undefined> =>
  ({ ...input }) as Record<string, string | number | undefined>;

export const userCalls = (http: Http) => ({
  me: () => http.call<User>('/users/me'),
  update: (change: UserChange) => http.call<User>('/users/me', { method: 'PATCH', body: change }),
  get: (id: Id) => http.call<User>(`/users/${id}`),
  byUsername: (name: string) => http.call<User>(`/users/by-username/${encodeURIComponent(name)}`),
  search: (text: string, page: PageQuery = {}, signal?: AbortSignal) =>
    http.call<Page<User>>('/users', { query: { q: text, ...page }, ...(signal ? { signal } : {}) }),
  changePassword: (current_password: string, new_password: string) =>
    http.call<void>('/auth/password/change', {
      method: 'POST',
      body: { current_password, new_password },
    }),
  /** Everything the server keeps about the signed-in person, as one JSON document. */
  exportAll: () => http.text('/users/me/export', { timeoutMs: 120_000 }),
  deactivate: (password: string) =>
    http.call<void>('/users/me/deactivate', { method: 'POST', body: { password } }),
  delete: (password: string) =>
    http.call<void>('/users/me', { method: 'DELETE', body: { password } }),
});

export const accountCalls = (http: Http) => ({
  /** Sends a code to one's own e-mail address or phone. */
  sendCode: (channel: VerifyChannel) =>
    http.call<unknown>('/auth/verify', { method: 'POST', body: { channel } }),
  verify: (channel: VerifyChannel, code: string) =>
    http.call<void>('/auth/verify', { method: 'POST', body: { channel, code } }),
  /** Sends a reset code, if there is such an account; the answer does not tell. */
  forgotPassword: (login: string) =>
    http.call<unknown>('/auth/password/forgot', {
      method: 'POST',
      body: { login },
      signedIn: false,
    }),
  resetPassword: (login: string, code: string, new_password: string) =>
    http.call<void>('/auth/password/reset', {
      method: 'POST',
      body: { login, code, new_password },
      signedIn: false,
    }),
});

export const sessionCalls = (http: Http) => ({
  list: (page?: PageQuery) => http.call<Page<Session>>('/auth/sessions', { query: query(page) }),
  revoke: (id: Id) => http.call<void>(`/auth/sessions/${id}`, { method: 'DELETE' }),
  revokeAll: () => http.call<void>('/auth/logout-all', { method: 'POST' }),
});

export const presenceCalls = (http: Http, connection: Connection) => ({
  get: (userIds: Id[]) =>
    http.call<{ items: Presence[] }>('/presence', { query: { user_ids: userIds.join(',') } }),
  set: (status: PresenceStatus) =>
    http.call<void>('/presence', { method: 'PUT', body: { status } }),
  /** From now on presence.changed comes for these people (and no others) on this socket. */
  watch: (userIds: Id[]) => connection.request('presence.watch', { user_ids: userIds }),
});

export const chatCalls = (http: Http, connection: Connection) => ({
  list: (page?: PageQuery) => http.call<Page<Chat>>('/chats', { query: query(page) }),
  get: (id: Id) => http.call<Chat>(`/chats/${id}`),
  create: (chat: NewChat) => http.call<Chat>('/chats', { method: 'POST', body: chat }),
  update: (id: Id, change: ChatChange) =>
    http.call<Chat>(`/chats/${id}`, { method: 'PATCH', body: change }),
  delete: (id: Id) => http.call<void>(`/chats/${id}`, { method: 'DELETE' }),
  members: (id: Id, page?: PageQuery) =>
    http.call<Page<Member>>(`/chats/${id}/members`, { query: query(page) }),
  addMembers: (id: Id, user_ids: Id[]) =>
    http.call<unknown>(`/chats/${id}/members`, { method: 'POST', body: { user_ids } }),
  setRole: (id: Id, user: Id, role: MemberRole) =>
    http.call<unknown>(`/chats/${id}/members/${user}`, { method: 'PATCH', body: { role } }),
  removeMember: (id: Id, user: Id) =>
    http.call<void>(`/chats/${id}/members/${user}`, { method: 'DELETE' }),
  /** Says "is typing" once; call it again every few seconds while it goes on. */
  typing: async (id: Id): Promise<void> => {
    if (!connection.canRequest) return;
    await connection.request('chat.typing', { chat_id: id }).catch(() => undefined);
  },
  markRead: async (id: Id, seq: number): Promise<void> => {
    if (connection.canRequest) await connection.request('chat.read', { chat_id: id, seq });
    else await http.call(`/chats/${id}/read`, { method: 'PUT', body: { seq } });
  },
});

export const messageCalls = (http: Http, connection: Connection) => ({
  /** after: oldest first; before, or neither: newest first. */
  list: (chat: Id, range: HistoryQuery = {}, signal?: AbortSignal) =>
    http.call<Page<Message>>(`/chats/${chat}/messages`, {
      query: query(range),
      ...(signal ? { signal } : {}),
    }),
  get: (chat: Id, seq: number) => http.call<Message>(`/chats/${chat}/messages/${seq}`),
  edit: (chat: Id, seq: number, text: string) =>
    http.call<Message>(`/chats/${chat}/messages/${seq}`, { method: 'PATCH', body: { text } }),
  delete: (chat: Id, seq: number) =>
    http.call<void>(`/chats/${chat}/messages/${seq}`, { method: 'DELETE' }),
  react: (chat: Id, seq: number, emoji: string) =>
    http.call<unknown>(reactionPath(chat, seq, emoji), { method: 'PUT' }),
  unreact: (chat: Id, seq: number, emoji: string) =>
    http.call<unknown>(reactionPath(chat, seq, emoji), { method: 'DELETE' }),
  search: (text: string, page: PageQuery = {}) =>
    http.call<Page<Message>>('/messages/search', { query: { q: text, ...page } }),
  /** Over the socket or not at all, without the outbox: for bots that do their own retries. */
  sendNow: (chat: Id, text: string, client_id: string) =>
    connection.request<Message>('chat.send', { chat_id: chat, text, client_id }),
});

function reactionPath(chat: Id, seq: number, emoji: string): string {
  return `/chats/${chat}/messages/${seq}/reactions/${encodeURIComponent(emoji)}`;
}
