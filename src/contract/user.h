/* What the user room answers to other rooms, and the events it emits. */
#ifndef PARLEY_CONTRACT_USER_H
#define PARLEY_CONTRACT_USER_H

#include "base/arena.h"
#include "base/error.h"
#include "base/schema.h"
#include "engine/event_log.h"
#include "kit/principal.h"

/* A profile as clients see it. email, phone and last_login are for the person themselves: what
 * others get has them null, and the discoverable_ ones false (user_profile_hide). */
struct user_profile {
    struct id id;
    struct slice username, full_name, email, phone, bio, avatar_url;
    int role; /* enum role */
    bool is_active, is_verified;
    bool is_private; /* what they publish is for those whom they let follow */
    bool discoverable_by_email, discoverable_by_phone; /* a search for exactly that finds them */
    int64_t last_login, last_seen, created_at, updated_at;
};
extern const struct schema user_profile_schema;
void user_profile_hide(struct user_profile *profile);

/* A profile has been edited; data is the profile as others see it. Stream: the user. */
extern const struct event_type user_updated_event; /* "user.updated", client event */

struct user_calls {
    void *room;
    /* The whole profile, private fields too. FAIL_NOT_FOUND "user_not_found". Strings in the arena.
     * May wait. */
    int (*get)(void *room, const struct id *user, struct arena *arena,
               struct user_profile *ret_profile, struct error *err);
    /* 0 when each of the ids is an active user; else FAIL_NOT_FOUND "user_not_found" and
     * *ret_missing (may be NULL) is the first that is not. May wait. */
    int (*check_all)(void *room, const struct id *users, size_t count, struct id *ret_missing,
                     struct error *err);
    /* ret_ids[i]: the active user of that name (lower case), nil when it is nobody's. May wait. */
    int (*find_names)(void *room, const struct slice *names, size_t count, struct id *ret_ids,
                      struct error *err);
    /* Everybody who has a profile, by id, after *after (nil: from the first); at most limit. May
     * wait. */
    int (*everybody)(void *room, const struct id *after, size_t limit, struct id *ret_ids,
                     size_t *ret_count, struct error *err);
};

#endif
