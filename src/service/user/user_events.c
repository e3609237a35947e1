/* The room's place in the log: profiles and the search index follow it, edits go out on it. */
#include <stdlib.h>

#include "contract/auth.h"
#include "service/user/user_room.h"
#include "service/user/user_store.h"

enum { EVENT_BYTES_MAX = 65536 };

/* A hook lives until its transaction ends, which may be after the function that set it. */
struct forget {
    struct db_hook hook;
    struct user_cache *cache;
    struct id user;
};

static void forget_now(struct db_hook *hook, bool committed)
{
    struct forget *f = CONTAINER_OF(hook, struct forget, hook);
    if (committed)
        user_cache_forget(f->cache, &f->user);
    free(f);
}

int user_forget_on_commit(struct user_room *room, struct db_tx *tx, const struct id *user,
                          struct error *err)
{
    struct forget *f = calloc(1, sizeof *f);
    if (f == NULL)
        return error_set(err, FAIL_UNAVAILABLE, "busy", "Out of memory.");
    f->hook.run = forget_now;
    f->cache = room->cache;
    f->user = *user;
    db_on_end(tx, &f->hook);
    return 0;
}

int user_emit_updated(struct user_room *room, struct db_tx *tx, const struct user_profile *profile,
                      struct slice correlation_id, struct error *err)
{
    struct user_profile others = *profile;
    struct buf json;
    user_profile_hide(&others);
    buf_init(&json, EVENT_BYTES_MAX);
    schema_encode(&user_profile_schema, &others, &json);
    struct event_draft draft = {.type = &user_updated_event,
                                .stream = profile->id,
                                .data = buf_view(&json),
                                .correlation_id = correlation_id};
    int rc = buf_ok(&json) ? event_emit(room->kit->log, tx, &draft, NULL, err)
                           : error_set(err, FAIL_TOO_LARGE, "event_too_large",
                                       "The profile does not fit into an event.");
    buf_done(&json);
    return rc;
}

/* --- consumers ---------------------------------------------------------------------------------
 */

static int follow_created(struct db_tx *tx, const struct event *event, struct arena *arena,
                          struct error *err)
{
    struct auth_user_created created;
    int rc = schema_decode(&auth_user_created_schema, event->data, arena, &created, err);
    return rc < 0 ? rc : user_store_insert(tx, &created, err);
}

static int follow_account(struct db_tx *tx, const struct event *event, struct arena *arena,
                          struct error *err)
{
    struct auth_user_changed changed;
    int rc = schema_decode(&auth_user_changed_schema, event->data, arena, &changed, err);
    return rc < 0 ? rc : user_store_set_account(tx, &changed, err);
}

/* user.profiles: each account gets its profile, and the profile follows the account. */
int user_follow_profiles(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    struct arena arena;
    arena_init(&arena, EVENT_BYTES_MAX);
    int rc = event->type == &auth_user_created_event ? follow_created(tx, event, &arena, err)
                                                     : follow_account(tx, event, &arena, err);
    arena_done(&arena);
    return rc < 0 ? rc : user_forget_on_commit(room, tx, &event->stream, err);
}

static int index_created(struct db_tx *tx, const struct event *event, struct arena *arena,
                         struct error *err)
{
    struct auth_user_created created;
    int rc = schema_decode(&auth_user_created_schema, event->data, arena, &created, err);
    return rc < 0
               ? rc
               : user_search_store_put(tx, &created.id, created.username, created.full_name, err);
}

static int index_updated(struct db_tx *tx, const struct event *event, struct arena *arena,
                         struct error *err)
{
    struct user_profile profile;
    int rc = schema_decode(&user_profile_schema, event->data, arena, &profile, err);
    return rc < 0
               ? rc
               : user_search_store_put(tx, &profile.id, profile.username, profile.full_name, err);
}

static int index_account(struct db_tx *tx, const struct event *event, struct arena *arena,
                         struct error *err)
{
    struct auth_user_changed changed;
    int rc = schema_decode(&auth_user_changed_schema, event->data, arena, &changed, err);
    return rc < 0 ? rc : user_search_store_set_active(tx, &changed.user_id, changed.is_active, err);
}

/* user.search: the index in the search database. */
int user_follow_search(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    struct arena arena;
    arena_init(&arena, EVENT_BYTES_MAX);
    int rc;
    if (event->type == &auth_user_created_event)
        rc = index_created(tx, event, &arena, err);
    else if (event->type == &user_updated_event)
        rc = index_updated(tx, event, &arena, err);
    else
        rc = index_account(tx, event, &arena, err);
    arena_done(&arena);
    return rc;
}
