#include "service/auth/auth_store_registration.h"

static const struct db_sql sql_remove_sessions = {"DELETE FROM session WHERE user_id = ?1"};
static const struct db_sql sql_remove_account = {"DELETE FROM account WHERE user_id = ?1"};

int auth_store_remove_pending(struct db_tx *tx, const struct id *user, struct error *err)
{
    int rc = db_exec(tx, &sql_remove_sessions, err, db_id(user));
    return rc < 0 ? rc : db_exec(tx, &sql_remove_account, err, db_id(user));
}
