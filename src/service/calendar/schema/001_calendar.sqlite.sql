-- Events and who comes (E01, E02). In code they are gatherings: "event" means an event of the log.
CREATE TABLE gathering (
    doc_id INTEGER PRIMARY KEY,     -- in gathering_fts
    gathering_id BLOB NOT NULL UNIQUE,
    host_id BLOB NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    place TEXT,
    link TEXT,
    starts_at INTEGER NOT NULL,     -- wall clock, ms
    ends_at INTEGER NOT NULL,
    time_zone TEXT NOT NULL,        -- IANA name
    is_long INTEGER NOT NULL,       -- lasts for more than a day; lists look further back for these
    capacity INTEGER,               -- NULL: as many as come
    visibility INTEGER NOT NULL,    -- enum social_visibility
    yes_count INTEGER NOT NULL DEFAULT 0,
    maybe_count INTEGER NOT NULL DEFAULT 0,
    waiting_count INTEGER NOT NULL DEFAULT 0,
    next_place INTEGER NOT NULL DEFAULT 1, -- order of arrival of the next answer
    sequence INTEGER NOT NULL DEFAULT 0,   -- of its iCalendar file; grows with every edit
    cancelled_at INTEGER,
    deleted_at INTEGER,             -- gone for everybody; its answers are being cleaned up
    orphan INTEGER NOT NULL DEFAULT 0, -- its host's account is gone; goes itself when it is over
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX gathering_by_host ON gathering (host_id, starts_at, gathering_id)
    WHERE deleted_at IS NULL;
CREATE INDEX gathering_public ON gathering (is_long, starts_at, gathering_id, ends_at, host_id)
    WHERE visibility = 0 AND deleted_at IS NULL;
CREATE INDEX gathering_orphan ON gathering (ends_at) WHERE orphan = 1 AND deleted_at IS NULL;
CREATE INDEX gathering_deleted ON gathering (deleted_at) WHERE deleted_at IS NOT NULL;
-- Places that nobody was given yet although somebody waits: only after a crash, or while a raised
-- capacity is being handed out.
CREATE INDEX gathering_free ON gathering (gathering_id)
    WHERE waiting_count > 0 AND (capacity IS NULL OR yes_count < capacity) AND cancelled_at IS NULL;

-- Words of titles and places; its texts are those of gathering (external content).
CREATE VIRTUAL TABLE gathering_fts USING fts5 (title, place, content = 'gathering',
    content_rowid = 'doc_id', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');

CREATE TABLE rsvp (
    gathering_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    status INTEGER NOT NULL,        -- enum calendar_answer
    place INTEGER NOT NULL,         -- order of arrival of this answer
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (gathering_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX rsvp_by_place ON rsvp (gathering_id, place);
CREATE INDEX rsvp_by_status ON rsvp (gathering_id, status, place);
CREATE INDEX rsvp_by_user ON rsvp (user_id, gathering_id);

-- Whom the host lets see an event whatever its visibility.
CREATE TABLE invite (
    gathering_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (gathering_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX invite_by_user ON invite (user_id, gathering_id);

-- Reminders to come; a row goes in the transaction that sends the last of it.
CREATE TABLE reminder (
    due_at INTEGER NOT NULL,
    gathering_id BLOB NOT NULL,
    before_ms INTEGER NOT NULL,
    after_user BLOB,                -- everybody up to here has it
    PRIMARY KEY (due_at, gathering_id, before_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX reminder_by_gathering ON reminder (gathering_id);

-- The secret address of a person's calendar, for programs that cannot sign in.
CREATE TABLE calendar_link (
    user_id BLOB NOT NULL PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE, -- SHA-256
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
