/* The room's place in the log: profiles and the search index follow it, edits go out on it. */
#include "contract/auth.h"
#include "contract/registration.h"
#include "kit/emit.h"
#include "service/user/user_contact.h"
#include "service/user/user_store.h"

enum { EVENT_BYTES_MAX = 65536 };

static void forget(void *room, const struct id *user)
{
    struct user_room *r = room;
    char key[USER_READ_KEY_MAX];
    cache_forget(r->reads, user_read_key(user, key));
    user_cache_forget(r->cache, user);
}

int user_forget_on_commit(struct user_room *room, struct db_tx *tx, const struct id *user,
                          struct error *err)
{
    return kit_after_commit(tx, forget, room, user, err);
}

static void renew_index(void *room, const struct id *user)
{
    (void)user;
    atomic_fetch_add(&((struct user_room *)room)->index_version, 1);
}

/* Searches kept in memory are over when the transaction has been committed. */
static int reindex_on_commit(struct user_room *room, struct db_tx *tx, struct error *err)
{
    return kit_after_commit(tx, renew_index, room, &(struct id){{0}}, err);
}

int user_emit_updated(struct user_room *room, struct db_tx *tx, const struct user_profile *profile,
                      struct slice correlation_id, uint64_t *ret_pos, struct error *err)
{
    struct user_profile others = *profile;
    user_profile_hide(&others);
    return kit_emit(room->kit, tx,
                    &(struct emit){.type = &user_updated_event,
                                   .stream = &profile->id,
                                   .data = &others,
                                   .correlation_id = correlation_id},
                    ret_pos, err);
}

/* --- consumers ---------------------------------------------------------------------------------
 */

/* A name that another profile has will not become free by trying again: the registration is given
 * up at once. Without one (an operator made the account) the event is tried again and put aside. */
static int refuse_taken(struct user_room *room, struct db_tx *tx, const struct id *user,
                        struct error *err)
{
    struct error taken = *err;
    error_init(err);
    int rc = registration_fail(room->kit, tx, user, REGISTRATION_PROFILE,
                               SLICE("Another profile has this name."), err);
    return rc != 0 ? (rc < 0 ? rc : 0)
                   : error_set(err, FAIL_CONFLICT, taken.code, "%s", taken.detail);
}

/* The user room's part of a registration (contract/registration.h). */
static int follow_created(struct user_room *room, struct db_tx *tx, const struct event *event,
                          struct arena *arena, struct error *err)
{
    struct auth_user_created created;
    bool wanted = false;
    int rc = schema_decode(&auth_user_created_schema, event->data, arena, &created, err);
    if (rc == 0)
        rc = registration_wants(tx, &created.id, &wanted, err);
    if (rc < 0 || !wanted)
        return rc;
    rc = user_store_insert(tx, &created, err);
    if (rc == FAIL_CONFLICT)
        return refuse_taken(room, tx, &created.id, err);
    return rc < 0 ? rc : registration_did(room->kit, tx, &created.id, REGISTRATION_PROFILE, err);
}

static int follow_failed(struct db_tx *tx, const struct id *user, struct error *err)
{
    bool removed;
    int rc = user_store_remove(tx, user, &removed, err);
    return rc < 0 || !removed ? rc : registration_undid(tx, user, REGISTRATION_PROFILE, err);
}

static int follow_account(struct db_tx *tx, const struct event *event, struct arena *arena,
                          struct error *err)
{
    struct auth_user_changed changed;
    int rc = schema_decode(&auth_user_changed_schema, event->data, arena, &changed, err);
    return rc < 0 ? rc : user_store_set_account(tx, &changed, err);
}

/* Also what the person is found by, when they allow it. */
static int follow_contact(struct user_room *room, struct db_tx *tx, const struct event *event,
                          struct arena *arena, struct error *err)
{
    struct auth_contact_changed changed;
    struct user_profile profile;
    bool found = false;
    int rc = schema_decode(&auth_contact_changed_schema, event->data, arena, &changed, err);
    if (rc == 0)
        rc = user_store_get(tx, &changed.user_id, arena, &profile, &found, err);
    if (rc < 0 || !found)
        return rc;
    profile.email = changed.email;
    profile.phone = changed.phone;
    profile.is_verified = changed.is_verified;
    rc = user_store_set_addresses(tx, &profile, err);
    return rc < 0 ? rc : user_contact_write(room, tx, &profile, err);
}

/* user.profiles: each account gets its profile, and the profile follows the account. */
int user_follow_profiles(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    struct arena arena;
    arena_init(&arena, EVENT_BYTES_MAX);
    int rc;
    if (event->type == &auth_user_created_event)
        rc = follow_created(room, tx, event, &arena, err);
    else if (event->type == &registration_failed_event)
        rc = follow_failed(tx, &event->stream, err);
    else if (event->type == &auth_user_deleted_event)
        rc = user_store_remove(tx, &event->stream, &(bool){false}, err);
    else if (event->type == &auth_contact_changed_event)
        rc = follow_contact(room, tx, event, &arena, err);
    else
        rc = follow_account(tx, event, &arena, err);
    arena_done(&arena);
    return rc < 0 ? rc : user_forget_on_commit(room, tx, &event->stream, err);
}

int user_give_up_profile(void *room, struct db_tx *tx, const struct event *event, struct slice why,
                         struct error *err)
{
    if (event->type != &auth_user_created_event)
        return 0;
    return registration_fail(((struct user_room *)room)->kit, tx, &event->stream,
                             REGISTRATION_PROFILE, why, err);
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
    else if (event->type == &registration_failed_event || event->type == &auth_user_deleted_event)
        rc = user_search_store_remove(tx, &event->stream, err);
    else
        rc = index_account(tx, event, &arena, &changed, err);
    arena_done(&arena);
    return rc < 0 || !changed ? rc : reindex_on_commit(room, tx, err);
}
