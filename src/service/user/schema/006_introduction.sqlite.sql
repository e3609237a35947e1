-- Rooms to which everybody who has a profile is still to be introduced, because the log may have
-- forgotten that they came; a row goes when that is done.
CREATE TABLE user_introduction (
    name TEXT PRIMARY KEY,
    after BLOB NOT NULL             -- up to this user it is done
) STRICT, WITHOUT ROWID;
INSERT INTO user_introduction (name, after) VALUES ('social', zeroblob(16));
