/* Signing keys: from the database, a PKCS#8 file or a shared secret (A12, Z05).
 *
 * Keys in the database have no state but the time from which they sign: the newest whose time has
 * come signs; one whose time is still to come is published already; those before it verify until
 * the last token that they can have signed has expired. So every node that reads the same rows and
 * clock comes to the same key, and a rotation is one inserted row.
 */
#ifndef PARLEY_SERVICE_AUTH_KEYS_H
#define PARLEY_SERVICE_AUTH_KEYS_H

#include "kit/kit.h"

#define AUTH_KEYS_MAX 16

struct auth_keys {
    char loaded[AUTH_KEYS_MAX][JWK_KID_MAX + 1]; /* kids the authority has now, signing one first */
    size_t count;
};

/* Makes the first key when there is none, forgets those that have done their time, and hands the
 * rest to kit->tokens; nothing happens when they are what it has already. Blocks or waits. */
int auth_keys_load(struct kit *kit, struct db *db, struct auth_keys *keys,
                   struct error *err) MUSTCHECK;
/* Inserts a key that signs from `lead_ms` on. */
int auth_keys_add(struct kit *kit, struct db *db, int64_t lead_ms, struct error *err) MUSTCHECK;

#endif
