-- When somebody last showed a sign of life. Beside the profiles, in rows so small that a batch of
-- them touches few pages; profile.last_seen is what was known before this table was there.
CREATE TABLE user_seen (
    user_id BLOB PRIMARY KEY,
    at INTEGER NOT NULL              -- wall clock, ms
) STRICT, WITHOUT ROWID;
