/* Where a consumer stands, as the table of its database says. */
#include "kit/consumer_private.h"

static const struct db_sql sql_get = {"SELECT pos FROM consumer_position WHERE name = ?1"};
static const struct db_sql sql_set = {"INSERT INTO consumer_position (name, pos) VALUES (?1, ?2) "
                                      "ON CONFLICT (name) DO UPDATE SET pos = excluded.pos"};

int consumer_get_position(struct db_tx *tx, const char *name, uint64_t *ret_pos, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_get, &rows, err, db_text(slice_str(name)));
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc < 0)
        return rc;
    *ret_pos = rc > 0 ? (uint64_t)db_col_int(&rows, 0) : 0;
    if (rc > 0)
        db_rows_close(&rows);
    return 0;
}

int consumer_set_position(struct db_tx *tx, const char *name, uint64_t pos, struct error *err)
{
    return db_exec(tx, &sql_set, err, db_text(slice_str(name)), db_int((int64_t)pos));
}
