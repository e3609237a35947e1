// Calls for moderators and administrators. Names, paths and types, nothing else.
import type { Http } from './http';
import type { Id, Page, PageQuery, Session, User, UserRole } from './types';
import type {
  AdminUserChange,
  AuditEntry,
  DeadLetter,
  Node,
  NodeConnection,
  Saga,
} from './types_admin';
import type { Report, ReportStatus, TradeSignal, TradeSignalStatus } from './types_social';

export const adminCalls = (http: Http) => {
  const list = <T>(path: string, query: PageQuery = {}): Promise<Page<T>> =>
    http.call<Page<T>>(`/admin${path}`, { query: { ...query } });
  const change = <T>(path: string, method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', body?: unknown) =>
    http.call<T>(`/admin${path}`, { method, ...(body === undefined ? {} : { body }) });
  return {
    users: (query?: PageQuery & { q?: string; role?: UserRole; is_active?: boolean }) =>
      list<User>('/users', query),
    updateUser: (id: Id, what: AdminUserChange) => change<User>(`/users/${id}`, 'PATCH', what),
    sessions: (id: Id, page?: PageQuery) => list<Session>(`/users/${id}/sessions`, page),
    endSessions: (id: Id) => change<void>(`/users/${id}/sessions`, 'DELETE'),
    reports: (query?: PageQuery & { status?: ReportStatus }) => list<Report>('/reports', query),
    handleReport: (id: Id, what: { status: ReportStatus; note?: string }) =>
      change<Report>(`/reports/${id}`, 'PATCH', what),
    deadLetters: (page?: PageQuery) => list<DeadLetter>('/dead-letters', page),
    requeue: (id: Id) => change<unknown>(`/dead-letters/${id}/requeue`, 'POST'),
    discard: (id: Id) => change<void>(`/dead-letters/${id}`, 'DELETE'),
    sagas: (query?: PageQuery & { state?: Saga['state'] }) => list<Saga>('/sagas', query),
    audit: (query?: PageQuery & { action?: string; actor_id?: Id; subject_id?: Id }) =>
      list<AuditEntry>('/audit', query),
    nodes: (page?: PageQuery) => list<Node>('/nodes', page),
    connections: (query?: PageQuery & { user_id?: Id }) =>
      list<NodeConnection>('/connections', query),
    /** The client may come back at once. */
    closeConnection: (id: string) => change<void>(`/connections/${id}`, 'DELETE'),
    signals: (query?: PageQuery & { status?: TradeSignalStatus }) =>
      list<TradeSignal>('/trade-signals', query),
    decideSignal: (id: Id, what: { status: TradeSignalStatus; reason?: string }) =>
      change<TradeSignal>(`/trade-signals/${id}/status`, 'PUT', what),
  };
};
