-- What people see of each other. Made from user.created; the account itself is the auth room's.
CREATE TABLE profile (
    user_id BLOB PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    full_name TEXT,
    email TEXT,
    phone TEXT,
    bio TEXT,
    avatar_url TEXT,
    role INTEGER NOT NULL,          -- enum role; copied from the account
    is_active INTEGER NOT NULL,
    is_verified INTEGER NOT NULL DEFAULT 0,
    last_login INTEGER NOT NULL DEFAULT 0, -- wall clock, ms; 0: never
    last_seen INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
