/* Who can administer; see auth_store.h. */
#ifndef PARLEY_SERVICE_AUTH_STORE_ADMIN_H
#define PARLEY_SERVICE_AUTH_STORE_ADMIN_H

#include "service/auth/auth_store.h"

/* Whether there is an active administrator besides the user. */
int auth_store_other_admin(struct db_tx *tx, const struct id *user, bool *ret_other,
                           struct error *err) MUSTCHECK;

#endif
