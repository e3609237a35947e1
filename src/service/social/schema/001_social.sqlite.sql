-- People as this room knows them: from the events of the auth and user rooms. Each count is kept in
-- the transaction that makes or removes a row of its table.
CREATE TABLE social_person (
    user_id BLOB PRIMARY KEY,
    is_private INTEGER NOT NULL DEFAULT 0,
    is_active INTEGER NOT NULL DEFAULT 1,
    follower_count INTEGER NOT NULL DEFAULT 0,
    following_count INTEGER NOT NULL DEFAULT 0,
    asking_count INTEGER NOT NULL DEFAULT 0,  -- follow requests of theirs that wait
    block_count INTEGER NOT NULL DEFAULT 0,
    mute_count INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
-- A follow is two rows, one for each direction of reading, so that both the people somebody follows
-- and the people who follow somebody lie together, in order of id. `muted` is in both: a reader for
-- fan-out looks at nothing else.
CREATE TABLE following (
    follower_id BLOB NOT NULL,
    target_id BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    muted INTEGER NOT NULL,
    since_pos INTEGER NOT NULL,               -- log position from which the follower's stream has it
    PRIMARY KEY (follower_id, target_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX following_newest ON following (follower_id, made_at);
CREATE TABLE follower (
    target_id BLOB NOT NULL,
    follower_id BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    muted INTEGER NOT NULL,
    PRIMARY KEY (target_id, follower_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX follower_newest ON follower (target_id, made_at);
CREATE TABLE follow_request (
    target_id BLOB NOT NULL,
    asker_id BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (target_id, asker_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX follow_request_newest ON follow_request (target_id, made_at);
CREATE INDEX follow_request_asker ON follow_request (asker_id, made_at);
CREATE TABLE block (
    blocker_id BLOB NOT NULL,
    blocked_id BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (blocker_id, blocked_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX block_newest ON block (blocker_id, made_at);
CREATE INDEX block_blocked ON block (blocked_id);
-- The same pairs once more, packed: what memory holds of them, read at start (social_blocks.h).
CREATE TABLE block_pack (
    bucket INTEGER PRIMARY KEY,
    pairs BLOB NOT NULL                       -- blocker and blocked, 32 bytes each, in order
) STRICT;
CREATE TABLE mute (
    muter_id BLOB NOT NULL,
    muted_id BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (muter_id, muted_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mute_newest ON mute (muter_id, made_at);
CREATE INDEX mute_muted ON mute (muted_id);
CREATE TABLE report (
    id BLOB PRIMARY KEY,
    reporter_id BLOB,                         -- NULL: has deleted their account
    subject_kind INTEGER NOT NULL,            -- enum social_subject
    subject_id BLOB NOT NULL,
    reason INTEGER NOT NULL,                  -- enum social_reason
    text TEXT,
    status INTEGER NOT NULL,                  -- enum social_report_status
    note TEXT,
    handled_by BLOB,
    handled_at INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX report_status ON report (status);
CREATE INDEX report_reporter ON report (reporter_id, status);
-- Somebody reports a thing once while the report is open.
CREATE UNIQUE INDEX report_open ON report (reporter_id, subject_kind, subject_id) WHERE status = 0;
-- Work that is too much for one transaction and goes on after a restart.
CREATE TABLE social_duty (
    user_id BLOB NOT NULL,
    kind INTEGER NOT NULL,                    -- enum social_duty_kind
    PRIMARY KEY (user_id, kind)
) STRICT, WITHOUT ROWID;
