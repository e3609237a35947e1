// The resources and events of a Parley server, as JSON carries them. Ids are UUIDv7 strings, times
// RFC 3339 in UTC. Fields that only newer servers send are optional here; a client must also put
// up with fields it does not know.

import type { AdminArea } from './types_admin';
import type {
  BlockChange,
  CalendarEvent,
  Comment,
  FollowChange,
  Post,
  PostDeleted,
  Rsvp,
  Story,
  StoryView,
  TradeSignal,
} from './types_social';

export type Id = string;
export type Time = string;
/** Opaque resume position of the event log. Store it, send it back, never look inside. */
export type Position = string;

export type UserRole = 'user' | 'moderator' | 'admin';

export interface User {
  id: Id;
  username: string;
  full_name: string | null;
  bio?: string | null;
  avatar_url?: string | null;
  role?: UserRole;
  is_active?: boolean;
  is_verified?: boolean;
  last_seen?: Time | null;
  created_at?: Time;
  updated_at?: Time;
  /** Whoever wants to follow must be let in. */
  is_private?: boolean;
  /** Only on the signed-in person's own profile. */
  email?: string | null;
  phone?: string | null;
  last_login?: Time | null;
  discoverable_by_email?: boolean;
  discoverable_by_phone?: boolean;
}

/** null removes. */
export interface UserChange {
  full_name?: string | null;
  bio?: string | null;
  avatar_url?: string | null;
  is_private?: boolean;
  discoverable_by_email?: boolean;
  discoverable_by_phone?: boolean;
}

export interface TokenAnswer {
  access_token: string;
  token_type: 'Bearer';
  /** Seconds, counted from the moment of the answer. */
  expires_in: number;
  /** Absent when the server keeps it in a cookie. */
  refresh_token?: string | null;
  user: User;
}

/** A sign-up that the server has taken but not finished: sign in a moment later. */
export interface PendingAnswer {
  status: 'pending';
}

export interface SignUp {
  username: string;
  password: string;
  email?: string;
  phone?: string;
  full_name?: string;
}

export interface SignIn {
  /** User name, e-mail or phone number. */
  login: string;
  password: string;
  device_name?: string;
}

export type VerifyChannel = 'email' | 'phone';

export interface Session {
  id: Id;
  device_name: string | null;
  created_at: Time;
  last_used_at: Time;
  current: boolean;
}

export type PresenceStatus = 'online' | 'away' | 'busy' | 'offline';

export interface Presence {
  user_id: Id;
  status: PresenceStatus;
  last_seen: Time | null;
}

export type ChatKind = 'direct' | 'group' | 'channel';
export type MemberRole = 'owner' | 'admin' | 'member';

export interface ChatSettings {
  /** Who may add members: owner and admins, or every member. */
  invite: 'admins' | 'members';
}

/** A chat as the signed-in member sees it. */
export interface Chat {
  id: Id;
  kind: ChatKind;
  /** null for direct chats: their name is the other person's. */
  title: string | null;
  /** The other person of a direct chat. */
  peer_id: Id | null;
  my_role: MemberRole;
  member_count: number;
  last_seq: number;
  last_message: Message | null;
  read_seq: number;
  unread_count: number;
  settings: ChatSettings;
  archived: boolean;
  muted_until: Time | null;
  created_at: Time;
}

/** What of a chat is the same for every member: the data of its events. */
export interface ChatEvent {
  id: Id;
  kind: ChatKind;
  title: string | null;
  member_count: number;
  /** The first hundred. */
  members: { user_id: Id; role: MemberRole }[];
  settings: ChatSettings;
  created_at: Time;
  /** Set: the chat is gone for everybody. */
  deleted_at: Time | null;
}

export interface NewChat {
  kind: ChatKind;
  member_ids?: Id[];
  title?: string;
}

export interface ChatChange {
  title?: string;
  settings?: ChatSettings;
  /** These two are the signed-in person's own. */
  archived?: boolean;
  muted_until?: Time | null;
}

export interface Member {
  user_id: Id;
  role: MemberRole;
  joined_at: Time;
  /** The last message this member has read, 0 for none. */
  read_seq: number;
}

export interface Reaction {
  emoji: string;
  count: number;
  /** The first hundred of them. */
  user_ids: Id[];
}

export interface Attachment {
  id: Id;
  content_type?: string;
  size?: number;
  url?: string | null;
  thumbnail_url?: string | null;
}

/** The same for every member of the chat. */
export interface Message {
  id: Id;
  chat_id: Id;
  /** Gapless per chat, starting at 1. */
  seq: number;
  sender_id: Id;
  client_id: string;
  /** Empty once deleted. */
  text: string;
  /** seq of the message that this one answers. */
  reply_to: number | null;
  /** seq of the message that began the thread. */
  thread_id: number | null;
  attachments: Attachment[];
  reactions: Reaction[];
  created_at: Time;
  edited_at: Time | null;
  /** Set on a tombstone: text and reactions are gone, the place stays. */
  deleted_at: Time | null;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface PageQuery {
  limit?: number;
  cursor?: string;
}

export interface HistoryQuery {
  before?: number;
  after?: number;
  limit?: number;
}

export interface Ready {
  user_id: Id;
  session_id: Id;
  /** Seconds between the server's signs of life. */
  heartbeat?: number;
}

/** Every event a server may send, by name. */
export interface ServerEvents {
  ready: Ready;
  'message.sent': Message;
  'message.updated': Message;
  'message.deleted': Message;
  'reaction.changed': ReactionChange;
  'chat.created': ChatEvent;
  'chat.updated': ChatEvent;
  'member.changed': MemberChange;
  'read.changed': ReadChange;
  typing: Typing;
  'presence.changed': Presence;
  'notification.created': Record<string, unknown>;
  'user.created': Record<string, unknown>;
  'user.updated': User;
  'follow.changed': FollowChange;
  'block.changed': BlockChange;
  'post.created': Post;
  'post.updated': Post;
  'post.deleted': PostDeleted;
  'story.posted': Story;
  /** Without what it said. */
  'story.deleted': Story;
  'event.created': CalendarEvent;
  'event.updated': CalendarEvent;
  'event.cancelled': CalendarEvent;
  'rsvp.changed': Rsvp;
  'signal.decided': TradeSignal;
  /** To the author, and to the other sessions of who has seen it; not resumed. */
  'story.viewed': StoryView;
  /** What follows comes for watched topics only (Connection.watch), and is not resumed. */
  'post.changed': Post;
  'comment.created': Comment;
  'comment.updated': Comment;
  'comment.deleted': Comment;
  'event.changed': CalendarEvent;
  'signal.changed': TradeSignal;
  'admin.changed': { what: AdminArea };
  /** The position was too old: load again whatever is on show. */
  resync: Record<string, unknown>;
}

export interface ReactionChange {
  chat_id: Id;
  seq: number;
  /** Who reacted, or took it back. */
  user_id: Id;
  emoji: string;
  added: boolean;
  /** All of the message, as they are now. */
  reactions: Reaction[];
  message: Message;
}

export interface MemberChange {
  chat_id: Id;
  user_id: Id;
  /** null: no longer a member. */
  role: MemberRole | null;
  joined_at: Time | null;
  member_count: number;
  by_user_id: Id;
}

export interface ReadChange {
  chat_id: Id;
  user_id: Id;
  seq: number;
}

/** Sent every few seconds while somebody writes; there is no event for the end of it. */
export interface Typing {
  chat_id: Id;
  user_id: Id;
}

export type EventName = keyof ServerEvents;

/** What arrives on every transport. pos is absent on what is not kept (typing, presence). */
export interface ServerEvent<N extends EventName = EventName> {
  event: N;
  pos?: Position;
  data: ServerEvents[N];
}

/** A problem answer (RFC 9457) as Parley sends it. */
export interface Problem {
  type?: string;
  title?: string;
  status: number;
  detail?: string;
  code: string;
  correlation_id?: string;
  errors?: FieldProblem[];
}

export interface FieldProblem {
  field: string;
  code: string;
  detail: string;
}
