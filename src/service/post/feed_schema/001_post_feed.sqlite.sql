-- The index of home feeds. Lives in the feed database; everything here can be made again from the
-- posts and the follow graph, so that the file is not in a backup and is synced lazily.
CREATE TABLE feed_user (
    user_id BLOB PRIMARY KEY,
    floor BLOB NOT NULL,            -- the index has all posts from this id up
    read_at INTEGER NOT NULL        -- wall clock, ms; about a day exact
) STRICT, WITHOUT ROWID;
CREATE INDEX feed_user_idle ON feed_user (read_at);

CREATE TABLE feed_entry (
    user_id BLOB NOT NULL,          -- whose feed
    post_id BLOB NOT NULL,
    author_id BLOB NOT NULL,
    PRIMARY KEY (user_id, post_id)
) STRICT, WITHOUT ROWID;

-- Authors whose posts are not brought to each follower, but read from the author.
CREATE TABLE feed_big (
    author_id BLOB PRIMARY KEY,
    leaving INTEGER NOT NULL DEFAULT 0 -- new posts are brought again; the older ones are under way
) STRICT, WITHOUT ROWID;

-- What is still to be done, in turns: whoever had one and is not done goes to the end.
CREATE TABLE feed_task (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,          -- enum feed_task_kind
    user_id BLOB NOT NULL,
    other_id BLOB,
    after BLOB                      -- the last follower that had their part
) STRICT;
CREATE UNIQUE INDEX feed_task_once ON feed_task (kind, user_id) WHERE kind >= 3;
-- Posts on their way, which each reader of a feed looks at first.
CREATE INDEX feed_task_pending ON feed_task (place) WHERE kind = 1;
