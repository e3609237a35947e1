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

/* More than configuration can ask for: a key an hour, tokens of a day. */
#define AUTH_KEYS_MAX 64                  /* in the table */
#define AUTH_RING_MAX (AUTH_KEYS_MAX + 1) /* with a configured one */
#define AUTH_KEYS_ASKED_MAX 32            /* an operator gets no more while there are so many */

struct auth_keys {
    char loaded[AUTH_RING_MAX][JWK_KID_MAX + 1]; /* kids the authority has now, signing one first */
    size_t count;
};

/* Makes the first key when there is none, forgets those that have done their time, and hands the
 * rest to kit->tokens; nothing happens when they are what it has already. Blocks or waits. */
int auth_keys_load(struct kit *kit, struct db *db, struct auth_keys *keys,
                   struct error *err) MUSTCHECK;
/* Inserts a key that signs from auth.key_publish_ahead on, because an operator asks for it. 409
 * key_pending while there is one that does not sign yet, too_many_keys: any number of them in a
 * short time would leave no room for those whose tokens live. */
int auth_keys_add(struct kit *kit, struct db *db, struct error *err) MUSTCHECK;

#endif
