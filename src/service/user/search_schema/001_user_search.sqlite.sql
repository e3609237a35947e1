-- What people can be found by. Lives in the search database; everything here can be made again
-- from the log and the profiles.
CREATE TABLE user_document (
    doc_id INTEGER PRIMARY KEY,
    user_id BLOB NOT NULL UNIQUE,
    username TEXT NOT NULL UNIQUE,
    full_name TEXT NOT NULL DEFAULT '',
    is_active INTEGER NOT NULL
) STRICT;
-- One letter is a prefix too: without its own index it would walk every word that begins so.
CREATE VIRTUAL TABLE user_fts USING fts5(
    username, full_name,
    content='user_document', content_rowid='doc_id',
    tokenize='unicode61 remove_diacritics 2', prefix='1 2 3'
);
