-- Stories: text or a picture for a day (T01 to T08). A deleted story keeps its row, without what it
-- said, until its day is over: it counts for how many one may post in a day. The clean-up removes
-- what has expired, with its viewers.
CREATE TABLE story (
    story_id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL,
    text TEXT,
    media_id BLOB,
    visibility INTEGER NOT NULL,   -- enum social_visibility
    created_at INTEGER NOT NULL,   -- wall clock, ms
    expires_at INTEGER NOT NULL,   -- created_at and a day; erased: when that was
    deleted_at INTEGER NOT NULL DEFAULT 0,
    viewer_count INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- What is active of an author, oldest first. An author without anything costs one look here, and
-- the bar reads nothing else of a story: when it was posted is a day before expires_at.
CREATE INDEX story_by_author ON story (user_id, expires_at, deleted_at);
CREATE INDEX story_by_expiry ON story (expires_at);

-- Who has seen what: once each.
CREATE TABLE story_view (
    viewer_id BLOB NOT NULL,
    story_id BLOB NOT NULL,
    viewed_at INTEGER NOT NULL,
    PRIMARY KEY (viewer_id, story_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX story_view_by_story ON story_view (story_id, viewed_at, viewer_id);
