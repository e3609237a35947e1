CREATE TABLE chat (
    id BLOB PRIMARY KEY,
    kind INTEGER NOT NULL,              -- enum chat_kind
    title TEXT,
    invite INTEGER NOT NULL,            -- enum chat_invite
    created_by BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER,
    member_count INTEGER NOT NULL,
    last_seq INTEGER NOT NULL DEFAULT 0, -- as of the log's fold
    active_at INTEGER NOT NULL           -- newest message as of the fold, or created_at
) STRICT, WITHOUT ROWID;
CREATE TABLE chat_member (
    chat_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    role INTEGER NOT NULL,               -- enum chat_role
    joined_at INTEGER NOT NULL,
    since_pos INTEGER NOT NULL,          -- log position from which the member follows
    read_seq INTEGER NOT NULL,           -- own messages count as of the log's fold
    archived INTEGER NOT NULL DEFAULT 0,
    muted_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (chat_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_member_user ON chat_member (user_id, chat_id, since_pos);
-- Two people have one direct chat: low_id < high_id.
CREATE TABLE chat_direct (
    low_id BLOB NOT NULL,
    high_id BLOB NOT NULL,
    chat_id BLOB NOT NULL,
    PRIMARY KEY (low_id, high_id)
) STRICT, WITHOUT ROWID;
-- What a message said before its edits; version 1 is what was sent.
CREATE TABLE chat_message_edit (
    chat_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    text TEXT NOT NULL,
    replaced_at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, seq, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE chat_reaction (
    chat_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    emoji TEXT NOT NULL,
    user_id BLOB NOT NULL,
    PRIMARY KEY (chat_id, seq, emoji, user_id)
) STRICT, WITHOUT ROWID;
