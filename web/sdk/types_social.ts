// People and what they publish: relations, posts, comments, stories, events, trade signals, reports.
// Events carry a resource as anybody sees it: the reader's own flags are false or null in them.
import type { Id, Time } from './types';

/** How the signed-in person and somebody else stand to each other. */
export interface Relationship {
  user_id: Id;
  following: boolean;
  /** Asked a private account, not answered yet. */
  follow_requested: boolean;
  followed_by: boolean;
  blocking: boolean;
  muting: boolean;
  is_private: boolean;
  follower_count: number;
  following_count: number;
}

/** To both: the one who follows and the one who is followed. */
export interface FollowChange {
  /** Who follows. */
  user_id: Id;
  /** Whom. */
  target_id: Id;
  status: 'none' | 'requested' | 'following';
}

/** Only to the one who did it. */
export interface BlockChange {
  user_id: Id;
  target_id: Id;
  blocked: boolean;
}

export type PostVisibility = 'public' | 'followers' | 'private';

export interface Post {
  id: Id;
  user_id: Id;
  text: string;
  media_ids: Id[];
  /** The people named in the text. */
  mentions: Id[];
  /** Lower case, without the sign. */
  tags: string[];
  visibility: PostVisibility;
  like_count: number;
  comment_count: number;
  liked: boolean;
  bookmarked: boolean;
  created_at: Time;
  edited_at: Time | null;
}

/** What is left to say of a post that is gone, or not for everybody any more. */
export interface PostDeleted {
  id: Id;
  user_id: Id;
}

export interface NewPost {
  text: string;
  media_ids?: Id[];
  visibility?: PostVisibility;
}

export interface PostChange {
  text?: string;
  visibility?: PostVisibility;
}

/** What a post said before an edit. */
export interface PostVersion {
  /** 0: as it was created. */
  version: number;
  text: string;
  media_ids: Id[];
  visibility: PostVisibility;
  /** When another version took its place. */
  edited_at: Time;
}

export interface Like {
  user_id: Id;
  created_at: Time;
}

export interface Comment {
  id: Id;
  post_id: Id;
  user_id: Id;
  /** Empty once deleted. */
  text: string;
  reply_to: Id | null;
  /** 0 for an answer to the post itself. */
  depth: number;
  reply_count: number;
  created_at: Time;
  edited_at: Time | null;
  /** Set on a tombstone: the answers below it stay. */
  deleted_at: Time | null;
}

export interface NewComment {
  text: string;
  reply_to?: Id;
}

export type StoryVisibility = 'public' | 'followers';

export interface Story {
  id: Id;
  user_id: Id;
  text: string | null;
  media_id: Id | null;
  visibility: StoryVisibility;
  created_at: Time;
  expires_at: Time;
  viewed: boolean;
  /** null for everybody but the author. */
  viewer_count: number | null;
}

export interface NewStory {
  text?: string;
  media_id?: Id;
  visibility?: StoryVisibility;
}

/** Somebody has seen a story for the first time. */
export interface StoryView {
  story_id: Id;
  user_id: Id;
  viewed_at: Time;
}

export interface StoryViewer {
  user_id: Id;
  viewed_at: Time;
}

export type RsvpAnswer = 'yes' | 'maybe' | 'no';
/** Asked for a place and is on the list for one. */
export type RsvpStatus = RsvpAnswer | 'waiting';

export interface CalendarEvent {
  id: Id;
  user_id: Id;
  title: string;
  description: string | null;
  starts_at: Time;
  ends_at: Time;
  /** IANA name, such as "Europe/Berlin". */
  time_zone: string;
  /** As the clocks there show it, without an offset. */
  starts_at_local: string;
  ends_at_local: string;
  place: string | null;
  link: string | null;
  /** null: no limit. */
  capacity: number | null;
  visibility: PostVisibility;
  yes_count: number;
  maybe_count: number;
  waiting_count: number;
  my_status: RsvpStatus | null;
  cancelled_at: Time | null;
  created_at: Time;
  updated_at: Time;
}

export interface NewCalendarEvent {
  title: string;
  description?: string;
  starts_at: Time;
  ends_at: Time;
  time_zone: string;
  place?: string;
  link?: string;
  capacity?: number;
  visibility?: PostVisibility;
}

export interface CalendarEventQuery {
  /** Whose: one's own, those answered or invited to, of people one follows, or public ones. */
  scope?: 'all' | 'mine' | 'answered' | 'following' | 'public';
  /** Those that end later, and those that start earlier. */
  from?: Time;
  to?: Time;
}

export interface CalendarLink {
  /** A path on the server; whoever has it can read the calendar. */
  url: string;
  created_at: Time;
}

/** null removes. */
export interface CalendarEventChange {
  title?: string;
  description?: string | null;
  starts_at?: Time;
  ends_at?: Time;
  time_zone?: string;
  place?: string | null;
  link?: string | null;
  capacity?: number | null;
  visibility?: PostVisibility;
}

export interface Rsvp {
  event_id: Id;
  user_id: Id;
  status: RsvpStatus;
  /** In the waiting list, from 1. */
  position: number | null;
  updated_at: Time;
}

export type TradeSide = 'buy' | 'sell';
export type TradeSignalStatus = 'pending' | 'approved' | 'rejected' | 'closed';

/** Prices are decimal strings and stay exactly as written. */
export interface TradeSignal {
  id: Id;
  user_id: Id;
  symbol: string;
  side: TradeSide;
  entry_price: string;
  stop_loss: string | null;
  take_profit: string | null;
  note: string | null;
  status: TradeSignalStatus;
  reason: string | null;
  decided_by: Id | null;
  decided_at: Time | null;
  created_at: Time;
  updated_at: Time;
}

export interface NewTradeSignal {
  symbol: string;
  side: TradeSide;
  entry_price: string;
  stop_loss?: string;
  take_profit?: string;
  note?: string;
}

/** null removes. */
export interface TradeSignalChange {
  symbol?: string;
  side?: TradeSide;
  entry_price?: string;
  stop_loss?: string | null;
  take_profit?: string | null;
  note?: string | null;
}

/** One step of a trade signal's way: to which status, why, by whom. */
export interface TradeSignalStep {
  status: TradeSignalStatus;
  reason: string | null;
  by_user_id: Id | null;
  at: Time;
}

export type ReportSubject =
  'user' | 'post' | 'comment' | 'message' | 'story' | 'event' | 'trade_signal';
export type ReportReason = 'spam' | 'abuse' | 'violence' | 'nudity' | 'other';
export type ReportStatus = 'open' | 'resolved' | 'dismissed';

export interface NewReport {
  subject_kind: ReportSubject;
  subject_id: Id;
  reason: ReportReason;
  text?: string;
}

export interface Report {
  id: Id;
  reporter_id: Id;
  subject_kind: ReportSubject;
  subject_id: Id;
  reason: ReportReason;
  text: string | null;
  status: ReportStatus;
  note: string | null;
  handled_by: Id | null;
  handled_at: Time | null;
  created_at: Time;
}
