/* Secrets that the house makes for itself: random bytes under a name in a room's own table, made by
 * whoever asks first. */
#ifndef PARLEY_KIT_SECRET_H
#define PARLEY_KIT_SECRET_H

#include "engine/db.h"

#define SECRET_BYTES 32

/* The room's two statements: `add` inserts (?1 name, ?2 bytes) unless the name is there, `get`
 * reads the bytes of ?1. */
struct secret_sql {
    struct db_sql add, get;
};
/* Inside db_write: the named secret; the first call stores `fresh`. FAIL_INTERNAL "damaged_secret"
 * when what is stored has another length. */
int secret_get(struct db_tx *tx, const struct secret_sql *sql, const char *name,
               const uint8_t fresh[SECRET_BYTES], uint8_t ret_bytes[SECRET_BYTES],
               struct error *err) MUSTCHECK;

#endif
