/* The chain of the audit log: the hash of a row, and the walk that checks all of them. The walk
 * reads in pieces: rows never change, so that several reads see one log, and no snapshot is held
 * open for longer than a piece takes. */
#include <inttypes.h>

#include "kit/audit_chain.h"
#include "kit/seal.h"

enum { ROWS_A_PIECE = 500, ROW_BYTES_MAX = 64 << 10 };

static const struct db_sql sql_walk = {
    "SELECT seq, id, action, actor_id, subject_kind, subject_id, detail, correlation_id, at, hash "
    "FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2"};

static void put_number(struct buf *out, uint64_t number)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        buf_char(out, (char)(number >> shift));
}

static void put_bytes(struct buf *out, struct slice bytes)
{
    buf_char(out, bytes.ptr != NULL);
    put_number(out, bytes.len);
    buf_slice(out, bytes);
}

static void put_id(struct buf *out, const struct id *id)
{
    buf_append(out, id->bytes, sizeof id->bytes);
}

void audit_hash(const uint8_t before[AUDIT_HASH_BYTES], const struct audit_row *row,
                uint8_t ret_hash[AUDIT_HASH_BYTES])
{
    struct buf bytes;
    buf_init(&bytes, ROW_BYTES_MAX);
    buf_append(&bytes, before, AUDIT_HASH_BYTES);
    put_number(&bytes, (uint64_t)row->seq);
    put_id(&bytes, &row->id);
    put_bytes(&bytes, row->action);
    put_id(&bytes, &row->actor);
    put_bytes(&bytes, row->subject_kind);
    put_id(&bytes, &row->subject);
    put_bytes(&bytes, row->detail);
    put_bytes(&bytes, row->correlation_id);
    put_number(&bytes, (uint64_t)row->at);
    if (buf_ok(&bytes))
        seal_sha256(buf_view(&bytes), ret_hash);
    else
        memset(ret_hash, 0, AUDIT_HASH_BYTES); /* nothing that was written here is as large */
    buf_done(&bytes);
}

struct walk {
    const struct audit_mark *kept;
    int64_t seq;
    uint8_t hash[AUDIT_HASH_BYTES]; /* of row `seq` */
    unsigned rows;                  /* of the last piece */
};

static void print_hash(const uint8_t hash[AUDIT_HASH_BYTES], char ret_text[AUDIT_HASH_TEXT + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < AUDIT_HASH_BYTES; i++) {
        ret_text[2 * i] = digits[hash[i] >> 4];
        ret_text[2 * i + 1] = digits[hash[i] & 15];
    }
    ret_text[AUDIT_HASH_TEXT] = 0;
}

static int check_row(struct walk *w, const struct audit_row *row, struct slice stored,
                     struct error *err)
{
    uint8_t hash[AUDIT_HASH_BYTES];
    if (row->seq != w->seq + 1)
        return error_set(err, FAIL_CONFLICT, "audit_broken",
                         "The audit log is broken: row %" PRId64 " is missing.", w->seq + 1);
    audit_hash(w->hash, row, hash);
    if (stored.len != sizeof hash || !seal_equal(stored.ptr, hash, sizeof hash))
        return error_set(err, FAIL_CONFLICT, "audit_broken",
                         "The audit log is broken: row %" PRId64
                         " is not what was written, or not what followed the row before it.",
                         row->seq);
    w->seq = row->seq;
    memcpy(w->hash, hash, sizeof hash);
    return 0;
}

static int check_kept(const struct walk *w, struct error *err)
{
    char text[AUDIT_HASH_TEXT + 1];
    if (w->kept == NULL || w->kept->seq != w->seq)
        return 0;
    print_hash(w->hash, text);
    if (w->seq == 0 || memcmp(text, w->kept->hash, AUDIT_HASH_TEXT) == 0)
        return 0;
    return error_set(
        err, FAIL_CONFLICT, "audit_broken",
        "The audit log is another one: row %" PRId64 " has not the hash that was kept.", w->seq);
}

static int walk_piece(struct db_tx *tx, void *arg, struct error *err)
{
    struct walk *w = arg;
    struct db_rows rows;
    int rc = db_query(tx, &sql_walk, &rows, err, db_int(w->seq), db_int(ROWS_A_PIECE));
    if (rc < 0)
        return rc;
    w->rows = 0;
    while ((rc = db_next(&rows, err)) > 0) {
        struct audit_row row = {.seq = db_col_int(&rows, 0),
                                .id = db_col_id(&rows, 1),
                                .action = db_col_text(&rows, 2),
                                .actor = db_col_id(&rows, 3),
                                .subject_kind = db_col_text(&rows, 4),
                                .subject = db_col_id(&rows, 5),
                                .detail = db_col_text(&rows, 6),
                                .correlation_id = db_col_text(&rows, 7),
                                .at = db_col_int(&rows, 8)};
        rc = check_row(w, &row, db_col_blob(&rows, 9), err);
        if (rc == 0)
            rc = check_kept(w, err);
        if (rc < 0) {
            db_rows_close(&rows);
            return rc;
        }
        w->rows++;
    }
    return rc;
}

int audit_verify(struct kit *kit, const struct audit_mark *kept, struct audit_mark *ret_end,
                 struct error *err)
{
    struct walk w = {.kept = kept, .rows = ROWS_A_PIECE};
    int rc = 0;
    while (rc == 0 && w.rows == ROWS_A_PIECE)
        rc = db_read(kit->main_db, walk_piece, &w, err);
    if (rc < 0)
        return rc;
    if (kept != NULL && kept->seq > w.seq)
        return error_set(err, FAIL_CONFLICT, "audit_broken",
                         "The audit log was cut off: it ends at row %" PRId64 ", and row %" PRId64
                         " was there.",
                         w.seq, kept->seq);
    ret_end->seq = w.seq;
    print_hash(w.hash, ret_end->hash);
    return 0;
}
