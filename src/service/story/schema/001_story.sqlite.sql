-- Stories: text or a picture for a day (T01 to T08). A deleted story keeps its row, without what it
-- said, until its day is over.
--
-- What is kept by time goes in the order of time, a few pages for a thousand rows: the story, and
-- who has seen it. What is kept by person has tables of its own, because there the same thousand
-- would be on a thousand pages: it is left behind (nobody sees it), goes when that person's page is
-- written anyway, and once a day in the order of persons.
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

CREATE INDEX story_by_expiry ON story (expires_at);

-- Who has seen it: for the author.
CREATE TABLE story_viewer (
    story_id BLOB NOT NULL,
    viewed_at INTEGER NOT NULL,
    viewer_id BLOB NOT NULL,
    PRIMARY KEY (story_id, viewed_at, viewer_id)
) STRICT, WITHOUT ROWID;

-- By person: what they have posted, with the deleted ones, which count for the day's limit. The bar
-- reads nothing else of a story: an author without anything active costs one look.
CREATE TABLE story_by_author (
    user_id BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    story_id BLOB NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, expires_at, story_id)
) STRICT, WITHOUT ROWID;

-- By person: what they have seen; once each.
CREATE TABLE story_seen (
    viewer_id BLOB NOT NULL,
    story_id BLOB NOT NULL,
    viewed_at INTEGER NOT NULL,
    PRIMARY KEY (viewer_id, story_id)
) STRICT, WITHOUT ROWID;
