/* What is left to remove of an account that never became active; see auth_store.h. */
#ifndef PARLEY_SERVICE_AUTH_STORE_REGISTRATION_H
#define PARLEY_SERVICE_AUTH_STORE_REGISTRATION_H

#include "service/auth/auth_store.h"

/* The account and its sessions. */
int auth_store_remove_pending(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;

#endif
