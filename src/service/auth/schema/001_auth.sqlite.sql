-- Accounts are what one signs in to; what others see of a person is the user room's profile.
CREATE TABLE account (
    user_id BLOB PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,       -- lower case ASCII
    email TEXT,                          -- as given
    email_key TEXT UNIQUE,               -- NFKC, case-folded
    phone TEXT UNIQUE,                   -- E.164
    password_hash TEXT NOT NULL,
    role INTEGER NOT NULL,               -- enum role
    is_active INTEGER NOT NULL DEFAULT 1,
    is_verified INTEGER NOT NULL DEFAULT 0,
    last_login INTEGER NOT NULL DEFAULT 0,        -- wall clock, ms; 0: never
    tokens_valid_from INTEGER NOT NULL DEFAULT 0, -- access tokens issued earlier are refused
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_tokens_valid_from ON account (tokens_valid_from) WHERE tokens_valid_from > 0;

-- One device that is signed in; the refresh tokens that follow each other are one session.
CREATE TABLE session (
    id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL,
    device_name TEXT,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    refresh_hash BLOB NOT NULL,          -- SHA-256 of the newest refresh token
    expires_at INTEGER NOT NULL,
    ended_at INTEGER                     -- NULL while it lives
) STRICT, WITHOUT ROWID;
CREATE INDEX session_user ON session (user_id, id);
CREATE INDEX session_ended ON session (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX session_expires ON session (expires_at);

-- What a refresh token was answered with, for a client that did not get the answer and asks again.
-- Sealed under a key that only the holder of that token and this server together can make.
CREATE TABLE refresh_answer (
    token_hash BLOB PRIMARY KEY,         -- SHA-256 of the token that was used up
    until INTEGER NOT NULL,              -- wall clock, ms
    answer BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_answer_until ON refresh_answer (until);

CREATE TABLE signing_key (
    kid TEXT PRIMARY KEY,
    alg TEXT NOT NULL,
    pkcs8 TEXT NOT NULL,                 -- PEM
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL          -- the newest whose time has come signs, all verify
) STRICT, WITHOUT ROWID;

CREATE TABLE auth_secret (
    name TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;
