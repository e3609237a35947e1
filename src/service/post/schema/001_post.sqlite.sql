-- Ids are made by the writer inside the transaction: their order is the order of the commits, so a
-- list that goes by id never grows behind a reader's cursor.
CREATE TABLE post (
    row INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    user_id BLOB NOT NULL,
    text TEXT NOT NULL,
    media BLOB,                     -- ids, 16 bytes each; NULL: none
    mentions BLOB,                  -- the same
    tags TEXT,                      -- joined by blanks; NULL: none
    visibility INTEGER NOT NULL,    -- enum social_visibility
    created_at INTEGER NOT NULL,    -- wall clock, ms
    edited_at INTEGER NOT NULL DEFAULT 0,
    edits INTEGER NOT NULL DEFAULT 0,
    deleted_at INTEGER NOT NULL DEFAULT 0 -- set: gone for readers, kept for moderation
) STRICT;
CREATE INDEX post_by_user ON post (user_id, id, visibility) WHERE deleted_at = 0;
CREATE INDEX post_of_user ON post (user_id, row); -- all of somebody's, also deleted: export, erasure

-- Apart from the post, so that a like does not write its text again.
CREATE TABLE post_count (
    post_id BLOB PRIMARY KEY,
    likes INTEGER NOT NULL DEFAULT 0,
    comments INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE post_tag (
    tag TEXT NOT NULL,
    post_id BLOB NOT NULL,
    PRIMARY KEY (tag, post_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE post_edit (
    post_id BLOB NOT NULL,
    version INTEGER NOT NULL,       -- 0: as it was created
    text TEXT NOT NULL,
    media BLOB,
    visibility INTEGER NOT NULL,
    replaced_at INTEGER NOT NULL,
    PRIMARY KEY (post_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE post_like (
    post_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (post_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX post_like_by_time ON post_like (post_id, at, user_id);
CREATE INDEX post_like_by_user ON post_like (user_id, post_id);

CREATE TABLE post_bookmark (
    user_id BLOB NOT NULL,
    post_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user_id, post_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX post_bookmark_by_time ON post_bookmark (user_id, at, post_id);
CREATE INDEX post_bookmark_by_post ON post_bookmark (post_id);

CREATE TABLE comment (
    id BLOB PRIMARY KEY,
    post_id BLOB NOT NULL,
    reply_to BLOB,                  -- NULL: the post itself
    user_id BLOB,                   -- NULL: erased
    text TEXT NOT NULL,             -- empty in a tombstone
    depth INTEGER NOT NULL,
    replies INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    edited_at INTEGER NOT NULL DEFAULT 0,
    deleted_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX comment_by_thread ON comment (post_id, reply_to, id);
CREATE INDEX comment_by_user ON comment (user_id, id);

-- Accounts whose things are still to be erased, in slices (job post.erase).
CREATE TABLE post_erasure (
    user_id BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
