#include "service/auth/auth_store_admin.h"

static const struct db_sql sql_other_admin = {
    "SELECT 1 FROM account INDEXED BY account_admins "
    "WHERE role = 2 AND is_active = 1 AND user_id <> ?1 LIMIT 1"};

int auth_store_other_admin(struct db_tx *tx, const struct id *user, bool *ret_other,
                           struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_other_admin, &rows, err, db_id(user));
    if (rc == 0)
        rc = db_next(&rows, err);
    *ret_other = rc > 0;
    if (rc > 0)
        db_rows_close(&rows);
    return rc < 0 ? rc : 0;
}
