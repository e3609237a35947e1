/* The tables, and writing to the outbox inside a room's transaction. */
#include "kit/outbox.h"

#include "kit/emit.h"
#include "kit/outbox_private.h"

static const char outbox_001[] =
    "CREATE TABLE outbox (\n"
    "    number INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order of the commits, never again\n"
    "    kind INTEGER NOT NULL,   -- 1: event, 2: entry of the audit log\n"
    "    name TEXT NOT NULL,      -- type of the event; action\n"
    "    subject BLOB,            -- stream of the event; what it was done to\n"
    "    data TEXT,               -- of the event; detail\n"
    "    correlation_id TEXT,\n"
    "    links BLOB,              -- of the event: a byte for the kind and 16 for the user, each\n"
    "    id BLOB,                 -- these of an audit entry\n"
    "    actor BLOB,\n"
    "    subject_kind TEXT,\n"
    "    at INTEGER               -- wall clock, ms\n"
    ") STRICT;\n"
    "CREATE TABLE outbox_origin (id BLOB NOT NULL) STRICT;\n"
    "INSERT INTO outbox_origin (id) VALUES (randomblob(16));\n";

static const struct db_migration migrations[] = {{1, "outbox", outbox_001}};
const struct db_schema outbox_schema = {"outbox", migrations, ARRAY_LEN(migrations)};

static const char relay_001[] =
    "CREATE TABLE outbox_relayed (\n"
    "    origin BLOB PRIMARY KEY, -- outbox_origin of the other database\n"
    "    number INTEGER NOT NULL  -- up to here its rows are in the log\n"
    ") STRICT, WITHOUT ROWID;\n";

static const struct db_migration relay_migrations[] = {{1, "outbox_relay", relay_001}};
const struct db_schema outbox_relay_schema = {"outbox_relay", relay_migrations,
                                              ARRAY_LEN(relay_migrations)};

static const struct db_sql sql_put_event = {
    "INSERT INTO outbox (kind, name, subject, data, correlation_id, links) "
    "VALUES (1, ?1, ?2, ?3, ?4, ?5)"};
static const struct db_sql sql_put_audit = {
    "INSERT INTO outbox (kind, name, subject, data, correlation_id, id, actor, subject_kind, at) "
    "VALUES (2, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};

bool outbox_is_at(const struct kit *kit, const struct db_tx *tx)
{
    struct db *db = db_tx_db(tx);
    if (db == kit->main_db)
        return false;
    for (unsigned i = 0; i < kit->database_count; i++)
        if (kit->databases[i].db == db)
            return kit->databases[i].name != NULL;
    return false;
}

static void put_links(struct buf *out, const struct event_draft *draft)
{
    for (unsigned i = 0; i < draft->link_count; i++) {
        buf_char(out, (char)draft->links[i].kind);
        buf_append(out, draft->links[i].user.bytes, sizeof draft->links[i].user.bytes);
    }
}

/* What the log would refuse is refused here, where the room still hears of it: in the relay it
 * would stop everything behind it. */
static int check(const struct event_draft *draft, struct error *err)
{
    if (id_is_nil(&draft->stream) || draft->data.ptr == NULL)
        return error_set(err, FAIL_INTERNAL, "event_incomplete",
                         "a %s event has no stream or no data", draft->type->name);
    if (draft->data.len > EMIT_BYTES_MAX || draft->link_count > OUTBOX_LINKS_MAX)
        return error_set(err, FAIL_TOO_LARGE, "event_too_large", "The event %s does not fit.",
                         draft->type->name);
    return 0;
}

int outbox_put_event(struct kit *kit, struct db_tx *tx, const struct event_draft *draft,
                     uint64_t *ret_pos, struct error *err)
{
    struct buf links;
    int rc = check(draft, err);
    if (rc < 0)
        return rc;
    buf_init(&links, OUTBOX_LINKS_MAX * OUTBOX_LINK_BYTES);
    put_links(&links, draft);
    rc = db_exec(tx, &sql_put_event, err, db_text(slice_str(draft->type->name)),
                 db_id(&draft->stream), db_text(draft->data), db_text(draft->correlation_id),
                 draft->link_count > 0 ? db_blob(buf_view(&links)) : db_null());
    buf_done(&links);
    if (rc == 0 && ret_pos != NULL)
        *ret_pos = event_log_head(kit->log) + 1;
    return rc < 0 ? rc : outbox_poke_on_commit(kit, tx, err);
}

int outbox_put_audit(struct kit *kit, struct db_tx *tx, const struct audit_row *row,
                     struct error *err)
{
    int rc = db_exec(tx, &sql_put_audit, err, db_text(row->action), db_id(&row->subject),
                     db_text(row->detail), db_text(row->correlation_id), db_id(&row->id),
                     db_id(&row->actor), db_text(row->subject_kind), db_int(row->at));
    return rc < 0 ? rc : outbox_poke_on_commit(kit, tx, err);
}
