/* The room's tables, as functions; the only SQL of the room is here and in user_search_store.c.
 * All run inside db_read or db_write; text is copied into the arena. */
#ifndef PARLEY_SERVICE_USER_STORE_H
#define PARLEY_SERVICE_USER_STORE_H

#include "contract/auth.h"
#include "contract/user.h"
#include "engine/db.h"
#include "service/user/user.h"

int user_store_get(struct db_tx *tx, const struct id *user, struct arena *arena,
                   struct user_profile *ret_profile, bool *ret_found, struct error *err) MUSTCHECK;
int user_store_get_by_name(struct db_tx *tx, struct slice username, struct arena *arena,
                           struct user_profile *ret_profile, bool *ret_found,
                           struct error *err) MUSTCHECK;
/* By id, after *after (nil: from the first); at most limit. */
int user_store_page(struct db_tx *tx, const struct id *after, size_t limit, struct arena *arena,
                    struct user_profile *ret_profiles, size_t *ret_count,
                    struct error *err) MUSTCHECK;
int user_store_page_ids(struct db_tx *tx, const struct id *after, size_t limit, struct id *ret_ids,
                        size_t *ret_count, struct error *err) MUSTCHECK;
/* How far the named introduction has come (user_introduce.c), in either database; *ret_due false:
 * it is done, which is what `done` records. */
int user_store_introduced(struct db_tx *tx, const char *name, struct id *ret_after, bool *ret_due,
                          struct error *err) MUSTCHECK;
int user_store_set_introduced(struct db_tx *tx, const char *name, const struct id *after, bool done,
                              struct error *err) MUSTCHECK;
/* Once: a profile that is there stays as it is. */
int user_store_insert(struct db_tx *tx, const struct auth_user_created *created,
                      struct error *err) MUSTCHECK;
int user_store_remove(struct db_tx *tx, const struct id *user, bool *ret_removed,
                      struct error *err) MUSTCHECK;
/* Writes what a person may edit, and updated_at. */
int user_store_update(struct db_tx *tx, const struct user_profile *profile,
                      struct error *err) MUSTCHECK;
int user_store_set_addresses(struct db_tx *tx, const struct user_profile *profile,
                             struct error *err) MUSTCHECK;
int user_store_set_account(struct db_tx *tx, const struct auth_user_changed *changed,
                           struct error *err) MUSTCHECK;

/* Forwards only, and only of somebody who has a profile. */
int user_store_set_seen(struct db_tx *tx, const struct id *user, int64_t at_ms,
                        struct error *err) MUSTCHECK;

/* --- how people can be reached, see user_contact.h ---------------------------------------------
 */
enum user_contact { USER_CONTACT_EMAIL, USER_CONTACT_PHONE };
/* The named secret of 32 bytes; the first call stores `fresh`. */
int user_store_secret(struct db_tx *tx, const char *name, const uint8_t fresh[32],
                      uint8_t ret_bytes[32], struct error *err) MUSTCHECK;
/* Absent: not to be found by it. */
int user_store_set_contact(struct db_tx *tx, const struct id *user, const struct slice hashes[2],
                           struct error *err) MUSTCHECK;
/* *ret_user nil when there is nobody. */
int user_store_find_contact(struct db_tx *tx, enum user_contact kind, struct slice hash,
                            struct id *ret_user, struct error *err) MUSTCHECK;

/* --- in the search database ------------------------------------------------------------------ */
/* Makes or renews what the user can be found by. full_name may be absent. */
int user_search_store_put(struct db_tx *tx, const struct id *user, struct slice username,
                          struct slice full_name, struct error *err) MUSTCHECK;
/* They are not found any more; somebody who is not there is as good. */
int user_search_store_remove(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;
/* *ret_changed false when it was so before, or nobody can be found by that id. */
int user_search_store_set_active(struct db_tx *tx, const struct id *user, bool active,
                                 bool *ret_changed, struct error *err) MUSTCHECK;
/* People who are active, appended to ret_ids (room for USER_SEARCH_RESULTS_MAX) unless they are
 * there already; no more than USER_SEARCH_STEP of them are looked at. */
struct user_search_hits {
    struct id ids[USER_SEARCH_RESULTS_MAX];
    size_t count;
};
/* Whose username begins so, in the order of the alphabet: the one that is exactly so comes first.
 */
int user_search_store_names(struct db_tx *tx, struct slice begins, struct user_search_hits *hits,
                            struct error *err) MUSTCHECK;
/* match: an FTS5 expression. Shorter names first: there the words say more. */
int user_search_store_match(struct db_tx *tx, struct slice match, struct user_search_hits *hits,
                            struct error *err) MUSTCHECK;

#endif
