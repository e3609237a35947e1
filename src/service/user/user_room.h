/* The room's state; inside src/service/user only. */
#ifndef PARLEY_SERVICE_USER_ROOM_H
#define PARLEY_SERVICE_USER_ROOM_H

#include <stdatomic.h>

#include "contract/social.h"
#include "kit/cache.h"
#include "service/user/user.h"
#include "service/user/user_cache.h"

struct user_room {
    struct kit *kit;
    struct db *db, *search_db;
    struct user_cache *cache;
    struct cache *reads; /* of profiles that are not in it */
    const struct social_calls *social;
    uint8_t contact_key[32]; /* see user_contact.h */
    struct user_calls calls;
    _Atomic bool exporting;         /* one at a time */
    _Atomic uint64_t index_version; /* grows when the search index has changed */
};

/* The key of a profile in room->reads: the store behind it is everybody's. */
#define USER_READ_KEY_MAX 32
static inline struct slice user_read_key(const struct id *user, char text[USER_READ_KEY_MAX])
{
    static const char prefix[] = "user.profile:";
    enum { PREFIX = sizeof prefix - 1 };
    _Static_assert(PREFIX + sizeof user->bytes <= USER_READ_KEY_MAX, "the key fits");
    memcpy(text, prefix, PREFIX);
    memcpy(text + PREFIX, user->bytes, sizeof user->bytes);
    return slice_of(text, PREFIX + sizeof user->bytes);
}

/* FAIL_NOT_FOUND "user_not_found". */
int user_not_found(struct error *err);
/* Inside db_write: the profile leaves the cache when the transaction has been committed. */
int user_forget_on_commit(struct user_room *room, struct db_tx *tx, const struct id *user,
                          struct error *err) MUSTCHECK;
/* Inside db_write: user.updated, as others see it. */
int user_emit_updated(struct user_room *room, struct db_tx *tx, const struct user_profile *profile,
                      struct slice correlation_id, uint64_t *ret_pos, struct error *err) MUSTCHECK;

/* See find_names in contract/user.h (user_names.c). */
int user_find_names(void *room, const struct slice *names, size_t count, struct id *ret_ids,
                    struct error *err);

/* At start, before events are handled: who has a profile is known to the social room and to the
 * search index, whatever the log still says of them (user_introduce.c). */
int user_introduce(struct user_room *room, struct error *err) MUSTCHECK;
/* See everybody in contract/user.h. */
int user_everybody(void *room, const struct id *after, size_t limit, struct id *ret_ids,
                   size_t *ret_count, struct error *err);

/* Job: last_seen of everybody who was here since the last time. */
int user_write_seen(void *room, struct error *err);
/* The same when no loop runs any more. */
void user_write_seen_last(struct user_room *room);

/* Consumers; see kit/module.h. */
int user_follow_profiles(void *room, struct db_tx *tx, const struct event *event,
                         struct error *err);
/* user.created could not be followed for good. */
int user_give_up_profile(void *room, struct db_tx *tx, const struct event *event, struct slice why,
                         struct error *err);
int user_follow_search(void *room, struct db_tx *tx, const struct event *event, struct error *err);

#endif
