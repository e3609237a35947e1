-- People who have deleted their accounts and are still to be taken out of their chats.
CREATE TABLE chat_leaver (
    user_id BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
