#include "kit/secret.h"

#include "engine/db_one.h"

int secret_get(struct db_tx *tx, const struct secret_sql *sql, const char *name,
               const uint8_t fresh[SECRET_BYTES], uint8_t ret_bytes[SECRET_BYTES],
               struct error *err)
{
    struct db_rows rows;
    int rc = db_exec(tx, &sql->add, err, db_text(slice_str(name)),
                     db_blob(slice_of((const char *)fresh, SECRET_BYTES)));
    if (rc == 0)
        rc = db_one(tx, &sql->get, &rows, err, db_text(slice_str(name)));
    if (rc < 0)
        return rc;
    struct slice bytes = rc > 0 ? db_col_blob(&rows, 0) : (struct slice){0};
    bool good = bytes.len == SECRET_BYTES;
    if (good)
        memcpy(ret_bytes, bytes.ptr, SECRET_BYTES);
    db_rows_close(&rows);
    return good ? 0
                : error_set(err, FAIL_INTERNAL, "damaged_secret",
                            "The stored secret %s does not have %d bytes.", name, SECRET_BYTES);
}
