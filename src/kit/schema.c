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

/* The hash column is what audit_chain.c makes of the row and of the hash before it. OR REPLACE
 * would remove a row without asking the trigger on DELETE, so the one on INSERT takes the next
 * number only. */
static const char kit_002[] =
    "CREATE TABLE audit (\n"
    "    seq INTEGER PRIMARY KEY, -- 1, 2, 3 without gaps\n"
    "    id BLOB NOT NULL,\n"
    "    action TEXT NOT NULL,\n"
    "    actor_id BLOB,           -- NULL: the operator or the system\n"
    "    subject_kind TEXT NOT NULL,\n"
    "    subject_id BLOB,\n"
    "    detail TEXT,             -- JSON object\n"
    "    correlation_id TEXT,\n"
    "    at INTEGER NOT NULL,     -- wall clock, ms\n"
    "    hash BLOB NOT NULL\n"
    ") STRICT;\n"
    "CREATE INDEX audit_actor ON audit (actor_id, seq);\n"
    "CREATE INDEX audit_subject ON audit (subject_id, seq);\n"
    "CREATE INDEX audit_action ON audit (action, seq);\n"
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN\n"
    "    SELECT RAISE(ABORT, 'the audit log is append-only');\n"
    "END;\n"
    "CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit BEGIN\n"
    "    SELECT RAISE(ABORT, 'the audit log is append-only');\n"
    "END;\n"
    "CREATE TRIGGER audit_is_appended BEFORE INSERT ON audit\n"
    "WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit) BEGIN\n"
    "    SELECT RAISE(ABORT, 'the audit log is append-only');\n"
    "END;\n";

/* Dead letters get ids that are good in every database, for the API. */
static const char kit_003[] =
    "CREATE TABLE saga (\n"
    "    id BLOB PRIMARY KEY,\n"
    "    kind TEXT NOT NULL,\n"
    "    subject_id BLOB NOT NULL,\n"
    "    state INTEGER NOT NULL,   -- enum saga_state\n"
    "    error TEXT,\n"
    "    started_at INTEGER NOT NULL,\n"
    "    deadline_at INTEGER NOT NULL,\n"
    "    ended_at INTEGER\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE UNIQUE INDEX saga_subject ON saga (subject_id, kind);\n"
    "CREATE INDEX saga_state ON saga (state, id);\n"
    "CREATE INDEX saga_deadline ON saga (deadline_at) WHERE state = 0;\n"
    "CREATE INDEX saga_ended ON saga (ended_at) WHERE ended_at IS NOT NULL;\n"
    "CREATE TABLE saga_step (\n"
    "    saga_id BLOB NOT NULL,\n"
    "    name TEXT NOT NULL,\n"
    "    number INTEGER NOT NULL,  -- 1, 2, 3 in the order in which they were done\n"
    "    at INTEGER NOT NULL,\n"
    "    PRIMARY KEY (saga_id, name)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "ALTER TABLE dead_letter RENAME TO dead_letter_1;\n"
    "CREATE TABLE dead_letter (\n"
    "    id BLOB PRIMARY KEY,\n"
    "    consumer TEXT NOT NULL,\n"
    "    pos INTEGER NOT NULL,     -- of the event\n"
    "    type TEXT NOT NULL,\n"
    "    stream BLOB,\n"
    "    data TEXT NOT NULL,\n"
    "    reason TEXT NOT NULL,\n"
    "    attempts INTEGER NOT NULL,\n"
    "    at INTEGER NOT NULL       -- wall clock, ms\n"
    ") STRICT, WITHOUT ROWID;\n"
    "INSERT INTO dead_letter SELECT randomblob(16), consumer, pos, type, stream, data, reason,\n"
    "    attempts, at FROM dead_letter_1;\n"
    "DROP TABLE dead_letter_1;\n"
    "CREATE INDEX dead_letter_at ON dead_letter (at, id);\n";

/* The entity tag goes with the answer that it names. */
static const char kit_004[] = "ALTER TABLE idempotency_key ADD COLUMN etag TEXT;\n";

static const struct db_migration migrations[] = {
    {1, "kit", kit_001}, {2, "audit", kit_002}, {3, "saga", kit_003}, {4, "etag", kit_004}};
const struct db_schema kit_schema = {"kit", migrations, ARRAY_LEN(migrations)};
