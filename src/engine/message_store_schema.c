/* The message store's tables: all derived from the log, none of them the truth before the fold. */
#include "engine/message_store.h"

static const char schema_001[] =
    "CREATE TABLE message_chat (\n"
    "    number INTEGER PRIMARY KEY,\n"
    "    chat BLOB NOT NULL UNIQUE\n"
    ") STRICT;\n"
    /* A rowid table: integers in the interior pages, and a chat's blocks side by side. */
    "CREATE TABLE message_block (\n"
    "    key INTEGER PRIMARY KEY,   -- chat number << 26 | (seq - 1) / 64\n"
    "    last_seq INTEGER NOT NULL, -- greatest seq in it\n"
    "    data BLOB NOT NULL\n"
    ") STRICT;\n"
    "CREATE TABLE message_key (\n"
    "    bucket INTEGER PRIMARY KEY, -- run << 9 | top 9 bits of the hash\n"
    "    data BLOB NOT NULL          -- records of hash (8), chat number (4), seq (4)\n"
    ") STRICT;\n"
    "CREATE TABLE message_filter (\n"
    "    generation INTEGER PRIMARY KEY, -- run / 16\n"
    "    data BLOB NOT NULL\n"
    ") STRICT;\n"
    "CREATE TABLE message_state (\n"
    "    one INTEGER PRIMARY KEY CHECK (one = 1),\n"
    "    folded INTEGER NOT NULL,    -- log position up to which these tables are complete\n"
    "    next_chat INTEGER NOT NULL,\n"
    "    run INTEGER NOT NULL,       -- of message_key, being filled\n"
    "    run_count INTEGER NOT NULL,\n"
    "    hash_key BLOB NOT NULL      -- of the client id hash\n"
    ") STRICT;\n"
    "INSERT INTO message_state VALUES (1, 0, 1, 0, 0, randomblob(16));\n";

static const char schema_002[] =
    "CREATE TABLE message_wide (\n"
    "    part INTEGER PRIMARY KEY, -- run / 128 << 9 | top 9 bits of the hash\n"
    "    data BLOB NOT NULL\n"
    ") STRICT;\n";

static const struct db_migration migrations[] = {{1, "blocks", schema_001},
                                                 {2, "wide filters", schema_002}};
const struct db_schema message_store_schema = {"message_store", migrations, ARRAY_LEN(migrations)};
