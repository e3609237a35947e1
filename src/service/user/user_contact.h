/* Finding somebody by their exact e-mail address or phone number, where they allow it (U03).
 *
 * What is looked up is a keyed hash beside the profile, which is there only while its owner allows
 * it; so forbidding it again takes effect with the acknowledgement, and no index holds an address.
 */
#ifndef PARLEY_SERVICE_USER_CONTACT_H
#define PARLEY_SERVICE_USER_CONTACT_H

#include "service/user/user_room.h"

/* Makes or reads the key; blocks. */
int user_contact_start(struct user_room *room, struct error *err) MUSTCHECK;
/* Inside db_write, after the profile was written: makes the hashes what the profile says. */
int user_contact_write(struct user_room *room, struct db_tx *tx, const struct user_profile *profile,
                       struct error *err) MUSTCHECK;
/* Whether the text can be an address at all; if so, *ret_user is whose it is, nil when nobody's
 * who allows it. Waits. */
int user_contact_find(struct user_room *room, struct slice text, struct arena *arena,
                      bool *ret_is_address, struct id *ret_user, struct error *err) MUSTCHECK;

#endif
