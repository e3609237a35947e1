/* Where a consumer stands, as the table of its database says. */
#include "kit/consumer_private.h"

#include "engine/db_one.h"

static const struct db_sql sql_get = {"SELECT pos FROM consumer_position WHERE name = ?1"};
static const struct db_sql sql_set = {"INSERT INTO consumer_position (name, pos) VALUES (?1, ?2) "
                                      "ON CONFLICT (name) DO UPDATE SET pos = excluded.pos"};

int consumer_get_position(struct db_tx *tx, const char *name, uint64_t *ret_pos, struct error *err)
{
    int64_t pos;
    int rc = db_one_int(tx, &sql_get, &pos, err, db_text(slice_str(name)));
    if (rc == 0)
        *ret_pos = (uint64_t)pos;
    return rc;
}

int consumer_set_position(struct db_tx *tx, const char *name, uint64_t pos, struct error *err)
{
    return db_exec(tx, &sql_set, err, db_text(slice_str(name)), db_int((int64_t)pos));
}
