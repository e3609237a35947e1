/* The room's place in the log: profiles and the search index follow it, edits go out on it. */
#include <stdlib.h>

#include "contract/auth.h"
#include "service/user/user_room.h"
#include "service/user/user_store.h"

enum { EVENT_BYTES_MAX = 65536 };

/* A hook lives until its transaction ends, which may be after the function that set it. */
struct ending {
    struct db_hook hook;
    struct user_room *room;
    struct id user; /* nil: the search index has changed */
};

static void on_end(struct db_hook *hook, bool committed)
{
    struct ending *e = CONTAINER_OF(hook, struct ending, hook);
    if (committed && id_is_nil(&e->user))
        atomic_fetch_add(&e->room->index_version, 1);
    else if (committed)
        user_cache_forget(e->room->cache, &e->user);
    free(e);
}

static int set_ending(struct user_room *room, struct db_tx *tx, struct id user, struct error *err)
{
    struct ending *e = calloc(1, sizeof *e);
    if (e == NULL)
        return error_set(err, FAIL_UNAVAILABLE, "busy", "Out of memory.");
    e->hook.run = on_end;
    e->room = room;
    e->user = user;
    db_on_end(tx, &e->hook);
    return 0;
}

int user_forget_on_commit(struct user_room *room, struct db_tx *tx, const struct id *user,
                          struct error *err)
{
    return set_ending(room, tx, *user, err);
}

int user_reindex_on_commit(struct user_room *room, struct db_tx *tx, struct error *err)
{
    return set_ending(room, tx, (struct id){{0}}, err);
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
                         bool *ret_changed, struct error *err)
{
    struct auth_user_changed changed;
    int rc = schema_decode(&auth_user_changed_schema, event->data, arena, &changed, err);
    return rc < 0 ? rc
                  : user_search_store_set_active(tx, &changed.user_id, changed.is_active,
                                                 ret_changed, err);
}

/* user.search: the index in the search database. */
int user_follow_search(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    struct arena arena;
    bool changed = true;
    int rc;
    arena_init(&arena, EVENT_BYTES_MAX);
    if (event->type == &auth_user_created_event)
        rc = index_created(tx, event, &arena, err);
    else if (event->type == &user_updated_event)
        rc = index_updated(tx, event, &arena, err);
    else
        rc = index_account(tx, event, &arena, &changed, err);
    arena_done(&arena);
    return rc < 0 || !changed ? rc : user_reindex_on_commit(room, tx, err);
}
