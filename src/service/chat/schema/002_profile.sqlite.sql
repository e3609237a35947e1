-- A person as the chat room knows them, from user.created to user.deleted.
CREATE TABLE chat_profile (
    user_id BLOB PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
