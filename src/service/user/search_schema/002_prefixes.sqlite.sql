-- Beginnings of up to five letters have an index of their own: one list is read, not as many as
-- there are words that begin so. Ranking counts nothing in the whole index, so no sizes are kept.
DROP TABLE user_fts;
CREATE VIRTUAL TABLE user_fts USING fts5(
    username, full_name,
    content='user_document', content_rowid='doc_id', columnsize=0,
    tokenize='unicode61 remove_diacritics 2', prefix='1 2 3 4 5'
);
INSERT INTO user_fts (user_fts) VALUES ('rebuild');
