-- An index that is empty (new, or in the place of one that was lost) is filled from the profiles.
CREATE TABLE user_introduction (
    name TEXT PRIMARY KEY,
    after BLOB NOT NULL             -- up to this user it is done
) STRICT, WITHOUT ROWID;
INSERT INTO user_introduction (name, after)
    SELECT 'search', zeroblob(16) WHERE NOT EXISTS (SELECT 1 FROM user_document);
