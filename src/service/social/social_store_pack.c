/* block_pack: the table block once more, as memory holds it (social_blocks.h). */
#include "service/social/social_blocks.h"
#include "service/social/social_store.h"

#include "engine/db_one.h"

enum { PACK_BYTES_MAX = 1 << 20 };

static const struct db_sql sql_pack = {"SELECT pairs FROM block_pack WHERE bucket = ?1"};
static const struct db_sql sql_put_pack = {
    "INSERT INTO block_pack (bucket, pairs) VALUES (?1, ?2)"
    " ON CONFLICT (bucket) DO UPDATE SET pairs = excluded.pairs"};
static const struct db_sql sql_drop_pack = {"DELETE FROM block_pack WHERE bucket = ?1"};
static const struct db_sql sql_packs = {"SELECT bucket, pairs FROM block_pack"};

static int damaged(struct error *err)
{
    return error_set(err, FAIL_INTERNAL, "damaged_blocks",
                     "The table block_pack holds something that is no list of pairs.");
}

static int read_pack(struct db_tx *tx, unsigned bucket, const struct social_pair *pair, bool on,
                     struct buf *out, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_pack, &rows, err, db_int(bucket));
    if (rc < 0)
        return rc;
    struct slice pairs = rc > 0 ? db_col_blob(&rows, 0) : SLICE("");
    bool good = social_pack_set(pairs, &pair->by, &pair->about, on, out);
    if (rc > 0)
        db_rows_close(&rows);
    return good ? 0 : damaged(err);
}

int social_store_pack(struct db_tx *tx, const struct id *blocker, const struct id *blocked, bool on,
                      struct error *err)
{
    unsigned bucket = social_blocks_bucket(blocker, blocked);
    struct social_pair pair = {*blocker, *blocked};
    struct buf pack;
    buf_init(&pack, PACK_BYTES_MAX);
    int rc = read_pack(tx, bucket, &pair, on, &pack, err);
    if (rc == 0 && !buf_ok(&pack))
        rc = error_set(err, FAIL_STORAGE_FULL, "too_many_blocks_in_all",
                       "This server holds as many blocks as it can.");
    if (rc == 0)
        rc = pack.len > 0
                 ? db_exec(tx, &sql_put_pack, err, db_int(bucket), db_blob(buf_view(&pack)))
                 : db_exec(tx, &sql_drop_pack, err, db_int(bucket));
    buf_done(&pack);
    return rc;
}

int social_store_packs(struct db_tx *tx, struct social_blocks *blocks, struct error *err)
{
    struct db_rows rows;
    int rc = db_query_n(tx, &sql_packs, NULL, 0, &rows, err);
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        rc = 0;
        if (!social_blocks_load(blocks, db_col_int(&rows, 0), db_col_blob(&rows, 1))) {
            db_rows_close(&rows);
            return damaged(err);
        }
    }
    return rc;
}
