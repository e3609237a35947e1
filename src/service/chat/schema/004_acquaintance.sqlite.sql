-- While there is a row: people who came before chat_profile was there are still to be given one.
CREATE TABLE chat_acquaintance (
    after BLOB PRIMARY KEY          -- up to this user it is done
) STRICT, WITHOUT ROWID;
INSERT INTO chat_acquaintance (after) VALUES (zeroblob(16));
