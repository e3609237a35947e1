/* Writing and listing the audit log. Only the main database has rows; its single writer keeps the
 * chain in order. What a room in another database records comes there by that one's outbox. */
#include "kit/audit.h"

#include "base/schema.h"
#include "engine/db_one.h"
#include "kit/audit_chain.h"
#include "kit/outbox.h"

static const struct db_sql sql_last = {"SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"};
static const struct db_sql sql_append = {
    "INSERT INTO audit (seq, id, action, actor_id, subject_kind, subject_id, detail, "
    "correlation_id, at, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"};

#define COLUMNS "seq, id, action, actor_id, subject_kind, subject_id, detail, correlation_id, at"
#define PAGE " AND seq < ?4 ORDER BY seq DESC LIMIT ?5"
/* ?1 action, ?2 actor, ?3 subject: the most selective one that is given chooses the index. */
static const struct db_sql sql_by_subject = {
    "SELECT " COLUMNS " FROM audit INDEXED BY audit_subject WHERE subject_id = ?3 "
    "AND (?2 IS NULL OR actor_id = ?2) AND (?1 IS NULL OR action = ?1)" PAGE};
static const struct db_sql sql_by_actor = {"SELECT " COLUMNS
                                           " FROM audit INDEXED BY audit_actor WHERE actor_id = ?2 "
                                           "AND (?1 IS NULL OR action = ?1) AND ?3 IS NULL" PAGE};
static const struct db_sql sql_by_action = {"SELECT " COLUMNS
                                            " FROM audit INDEXED BY audit_action WHERE action = ?1 "
                                            "AND ?2 IS NULL AND ?3 IS NULL" PAGE};
static const struct db_sql sql_all = {
    "SELECT " COLUMNS " FROM audit WHERE ?1 IS NULL AND ?2 IS NULL AND ?3 IS NULL" PAGE};

static const struct schema_field fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_AT(struct audit_row, id)},
    {"action", "What was done, such as user.role_changed.", SCHEMA_STRING,
     SCHEMA_AT(struct audit_row, action)},
    {"actor_id", "Who did it; null: the operator at the command line, or the system.", SCHEMA_ID,
     SCHEMA_NULLABLE, SCHEMA_AT(struct audit_row, actor)},
    {"subject_kind", "What it was done to, such as user.", SCHEMA_STRING,
     SCHEMA_AT(struct audit_row, subject_kind)},
    {"subject_id", NULL, SCHEMA_ID, SCHEMA_NULLABLE, SCHEMA_AT(struct audit_row, subject)},
    {"detail", "What changed.", SCHEMA_RAW, SCHEMA_NULLABLE, SCHEMA_AT(struct audit_row, detail)},
    {"correlation_id", "Of the request that did it.", SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct audit_row, correlation_id)},
    {"at", NULL, SCHEMA_TIME, SCHEMA_AT(struct audit_row, at)},
};
SCHEMA_DEF(audit_schema, struct audit_row, "AuditEntry",
           "An act that was recorded; the log of them only grows.", fields);

/* The end of the chain; seq 0 and zero bytes while there is none. */
static int read_last(struct db_tx *tx, int64_t *ret_seq, uint8_t ret_hash[AUDIT_HASH_BYTES],
                     struct error *err)
{
    struct db_rows rows;
    *ret_seq = 0;
    memset(ret_hash, 0, AUDIT_HASH_BYTES);
    int rc = db_one(tx, &sql_last, &rows, err);
    if (rc <= 0)
        return rc;
    struct slice hash = db_col_blob(&rows, 1);
    *ret_seq = db_col_int(&rows, 0);
    if (hash.len == AUDIT_HASH_BYTES)
        memcpy(ret_hash, hash.ptr, AUDIT_HASH_BYTES);
    db_rows_close(&rows);
    return 0;
}

int audit_append(struct db_tx *tx, struct audit_row *row, struct error *err)
{
    uint8_t before[AUDIT_HASH_BYTES], hash[AUDIT_HASH_BYTES];
    int rc = read_last(tx, &row->seq, before, err);
    if (rc < 0)
        return rc;
    row->seq++;
    audit_hash(before, row, hash);
    return db_exec(tx, &sql_append, err, db_int(row->seq), db_id(&row->id), db_text(row->action),
                   db_id(&row->actor), db_text(row->subject_kind), db_id(&row->subject),
                   db_text(row->detail), db_text(row->correlation_id), db_int(row->at),
                   db_blob(slice_of((const char *)hash, AUDIT_HASH_BYTES)));
}

int audit_write(struct kit *kit, struct db_tx *tx, const struct audit_entry *entry,
                struct error *err)
{
    if (entry->detail.len > AUDIT_DETAIL_BYTES_MAX)
        return error_set(err, FAIL_TOO_LARGE, "audit_too_large", "The audit entry %s does not fit.",
                         entry->action);
    struct audit_row row = {.id = id_new(kit->clock),
                            .action = slice_str(entry->action),
                            .subject_kind = slice_str(entry->subject_kind),
                            .detail = entry->detail,
                            .correlation_id = entry->correlation_id,
                            .at = clock_wall_ms(kit->clock)};
    if (entry->actor != NULL)
        row.actor = *entry->actor;
    if (entry->subject != NULL)
        row.subject = *entry->subject;
    return outbox_is_at(kit, tx) ? outbox_put_audit(kit, tx, &row, err)
                                 : audit_append(tx, &row, err);
}

/* --- listing -----------------------------------------------------------------------------------
 */

static void take_row(const struct db_rows *rows, struct arena *arena, struct audit_row *row)
{
    *row = (struct audit_row){.seq = db_col_int(rows, 0),
                              .id = db_col_id(rows, 1),
                              .action = db_col_copy(rows, 2, arena),
                              .actor = db_col_id(rows, 3),
                              .subject_kind = db_col_copy(rows, 4, arena),
                              .subject = db_col_id(rows, 5),
                              .detail = db_col_copy(rows, 6, arena),
                              .correlation_id = db_col_copy(rows, 7, arena),
                              .at = db_col_int(rows, 8)};
}

static const struct db_sql *choose(const struct audit_filter *f)
{
    if (!id_is_nil(&f->subject))
        return &sql_by_subject;
    if (!id_is_nil(&f->actor))
        return &sql_by_actor;
    return f->action.ptr != NULL ? &sql_by_action : &sql_all;
}

int audit_list(struct db_tx *tx, const struct audit_filter *f, struct arena *arena,
               struct audit_row **ret_rows, size_t *ret_count, struct error *err)
{
    struct audit_row *list = arena_array(arena, f->limit, sizeof *list);
    if (list == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The page does not fit.");
    struct db_rows rows;
    size_t count = 0;
    int rc = db_query(tx, choose(f), &rows, err, db_text(f->action), db_id(&f->actor),
                      db_id(&f->subject), db_int(f->before != 0 ? f->before : INT64_MAX),
                      db_int(f->limit));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        take_row(&rows, arena, &list[count++]);
    if (rc < 0)
        return rc;
    *ret_rows = list;
    *ret_count = count;
    return 0;
}
