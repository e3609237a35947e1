-- What an account can prove, and how it ends.
ALTER TABLE account ADD COLUMN email_verified INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN phone_verified INTEGER NOT NULL DEFAULT 0;
-- Wall clock, ms, of the person's own leave; is_active is 0 then, and signing in makes it 1 again.
-- 0 with is_active 0: an operator has disabled the account.
ALTER TABLE account ADD COLUMN deactivated_at INTEGER NOT NULL DEFAULT 0;

-- One code that is out, for one purpose; a new one takes the old one's place.
CREATE TABLE auth_code (
    user_id BLOB NOT NULL,
    purpose INTEGER NOT NULL,            -- enum auth_code_purpose
    channel INTEGER NOT NULL,            -- enum auth_channel: where it went
    code_hash BLOB NOT NULL,             -- keyed hash of purpose, user, address and digits
    expires_at INTEGER NOT NULL,
    tries_left INTEGER NOT NULL,
    PRIMARY KEY (user_id, purpose)
) STRICT, WITHOUT ROWID;
CREATE INDEX auth_code_expires ON auth_code (expires_at);

-- What has still to be sent. Says what, not the words: a code is made when its letter is written.
CREATE TABLE auth_letter (
    id BLOB PRIMARY KEY,
    kind INTEGER NOT NULL,               -- enum auth_letter_kind
    user_id BLOB,                        -- NULL: whoever has the login below, if anybody
    login_kind INTEGER,
    login_key TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX auth_letter_due ON auth_letter (due_at);

-- Names of people who have left: nobody else gets them.
CREATE TABLE auth_reserved_name (
    name_hash BLOB PRIMARY KEY,          -- keyed hash of the username
    reserved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
