/* The kit's own tables, in every database that a consumer or a room with routes lives in. */
#include "kit/consumer.h"

static const char kit_001[] =
    "CREATE TABLE consumer_position (\n"
    "    name TEXT PRIMARY KEY, -- of the consumer\n"
    "    pos INTEGER NOT NULL   -- everything up to here has been handled\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE dead_letter (\n"
    "    id INTEGER PRIMARY KEY,\n"
    "    consumer TEXT NOT NULL,\n"
    "    pos INTEGER NOT NULL,\n"
    "    type TEXT NOT NULL,\n"
    "    stream BLOB,\n"
    "    data TEXT NOT NULL,\n"
    "    reason TEXT NOT NULL,\n"
    "    attempts INTEGER NOT NULL,\n"
    "    at INTEGER NOT NULL -- wall clock, ms\n"
    ") STRICT;\n"
    "CREATE TABLE idempotency_key (\n"
    "    owner BLOB NOT NULL,        -- user id, or a hash of the client address\n"
    "    key TEXT NOT NULL,\n"
    "    request_hash BLOB NOT NULL, -- method, path and body\n"
    "    status INTEGER,             -- NULL while the first request is still running\n"
    "    answer BLOB,\n"
    "    at INTEGER NOT NULL,        -- wall clock, ms\n"
    "    PRIMARY KEY (owner, key)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE INDEX idempotency_key_at ON idempotency_key (at);\n";

static const struct db_migration migrations[] = {{1, "kit", kit_001}};
const struct db_schema kit_schema = {"kit", migrations, ARRAY_LEN(migrations)};
