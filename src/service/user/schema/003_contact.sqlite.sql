-- By which the person allows themselves to be found; NULL: not. Keyed hashes: a copy of the file
-- alone does not tell whose address it is.
ALTER TABLE profile ADD COLUMN email_hash BLOB;
ALTER TABLE profile ADD COLUMN phone_hash BLOB;
CREATE INDEX profile_email_hash ON profile (email_hash) WHERE email_hash IS NOT NULL;
CREATE INDEX profile_phone_hash ON profile (phone_hash) WHERE phone_hash IS NOT NULL;

CREATE TABLE user_secret (
    name TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;
