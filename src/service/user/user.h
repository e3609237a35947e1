/* Profiles: reading, editing, finding people (U01 to U03).
 *
 * A profile is made from user.created; role, activity and last sign-in follow the auth room's
 * events. Reads come from a bounded cache that every change empties of its profile before the
 * change is acknowledged. Text in results lives in the arena given; rules may wait.
 */
#ifndef PARLEY_SERVICE_USER_H
#define PARLEY_SERVICE_USER_H

#include "contract/user.h"
#include "kit/module.h"
#include "kit/paging.h"

#define USER_SEARCH_CHARS_MAX 100
#define USER_NAME_CHARS_MAX 100 /* as at sign-up */
#define USER_BIO_CHARS_MAX 500
#define USER_SEARCH_NAME_MAX 32     /* characters of a username */
#define USER_SEARCH_STEP 150        /* names, words and beginnings give so many each */
#define USER_SEARCH_RESULTS_MAX 450 /* of one search, over all pages */

struct user_room;
extern const struct module user_module;

/* What PATCH may change; `present` tells absent from null. */
struct user_patch {
    uint64_t present;
    struct slice full_name, bio, avatar_url;
    bool is_private, discoverable_by_email, discoverable_by_phone;
};
enum { /* bits of present */
       USER_PATCH_FULL_NAME,
       USER_PATCH_BIO,
       USER_PATCH_AVATAR_URL,
       USER_PATCH_IS_PRIVATE,
       USER_PATCH_BY_EMAIL,
       USER_PATCH_BY_PHONE,
};

/* The whole profile. 404 user_not_found. */
int user_get(struct user_room *room, const struct id *user, struct arena *arena,
             struct user_profile *ret_profile, struct error *err) MUSTCHECK;
/* Any letter case. 404 user_not_found. */
int user_get_by_name(struct user_room *room, struct slice username, struct arena *arena,
                     struct user_profile *ret_profile, struct error *err) MUSTCHECK;
/* One look-up in the database for all that are not in memory. profiles[i] of an unknown user has a
 * nil id. */
int user_get_many(struct user_room *room, const struct id *users, size_t count, struct arena *arena,
                  struct user_profile *ret_profiles, struct error *err) MUSTCHECK;
/* expected_updated_at: 412 stale when the profile has another by now; 0: whatever it is. 404, 422.
 * Returns after the social room knows whether the account is private, when that has changed. */
int user_update(struct user_room *room, const struct id *user, const struct user_patch *patch,
                int64_t expected_updated_at, struct slice correlation_id, struct arena *arena,
                struct user_profile *ret_profile, struct error *err) MUSTCHECK;
/* Active users found by words of username or full name: the exact username first, then usernames
 * that begin so, then who has all of the words, then who has words that begin so. An e-mail address
 * or a phone number finds whose it is, when they allow it. Blocks are the caller's. ids[] has room
 * for limit + 1; *ret_count tells whether there are more. */
int user_search(struct user_room *room, struct slice query, unsigned skip, unsigned limit,
                struct arena *arena, struct id *ret_ids, size_t *ret_count,
                struct error *err) MUSTCHECK;

#endif
