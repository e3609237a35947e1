// What moderators and administrators see of the running platform.
import type { Id, Time, UserRole } from './types';

/** The part of the administration that has changed, as `admin.changed` names it. */
export type AdminArea = 'sagas' | 'dead_letters' | 'reports' | 'users' | 'signals';

export interface AdminUserChange {
  role?: UserRole;
  is_active?: boolean;
}

/** A change that takes several rooms: it completes, or what was done is taken back. */
export interface Saga {
  id: Id;
  kind: string;
  subject_id: Id;
  state: 'running' | 'completed' | 'compensated';
  step: string;
  steps: { name: string; at: Time }[];
  error: string | null;
  started_at: Time;
  deadline_at: Time;
  ended_at: Time | null;
}

export interface AuditEntry {
  id: Id;
  action: string;
  /** null: the platform itself. */
  actor_id: Id | null;
  subject_kind: string | null;
  subject_id: Id | null;
  detail: unknown;
  correlation_id: string | null;
  at: Time;
}

/** An event that a consumer has given up on. */
export interface DeadLetter {
  id: Id;
  consumer: string;
  event_type: string;
  event_pos: string;
  subject_id: Id | null;
  error: string;
  attempts: number;
  data: unknown;
  created_at: Time;
}

export interface Node {
  id: string;
  address: string;
  version: string;
  roles: string[];
  started_at: Time;
  uptime_s: number;
  sessions: number;
  loops: number;
  engines: Record<string, string>;
  log_head: number | string;
  consumers: { name: string; lag: number }[];
}

export interface NodeConnection {
  id: string;
  user_id: Id;
  session_id: Id;
  transport: string;
  peer: string;
  connected_at: Time;
  queued_bytes: number;
  follows: number;
  watches: number;
}
