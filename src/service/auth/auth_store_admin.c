#include "service/auth/auth_store_admin.h"

#include "engine/db_one.h"

static const struct db_sql sql_other_admin = {
    "SELECT 1 FROM account INDEXED BY account_admins "
    "WHERE role = 2 AND is_active = 1 AND user_id <> ?1 LIMIT 1"};

int auth_store_other_admin(struct db_tx *tx, const struct id *user, bool *ret_other,
                           struct error *err)
{
    return db_one_exists(tx, &sql_other_admin, ret_other, err, db_id(user));
}
