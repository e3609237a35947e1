/* The rules of profiles: check, load, decide, write in one transaction, emit, return. */
#include "service/user/user.h"

#include "base/json.h"
#include "kit/consumer.h"
#include "service/user/user_contact.h"
#include "service/user/user_store.h"

enum { PRIVACY_WAIT_MS = 2000, PROFILE_BYTES_MAX = 65536 };

int user_not_found(struct error *err)
{
    return error_set(err, FAIL_NOT_FOUND, "user_not_found", "There is no such user.");
}

/* --- reading -----------------------------------------------------------------------------------
 */

struct lookup {
    struct user_room *room;
    bool read;             /* by this one; else by another, at the same time */
    struct slice username; /* absent: by id */
    const struct id *user;
    struct arena *arena;
    struct user_profile profile;
    bool found;
};

static int lookup_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct lookup *l = arg;
    return l->username.ptr != NULL
               ? user_store_get_by_name(tx, l->username, l->arena, &l->profile, &l->found, err)
               : user_store_get(tx, l->user, l->arena, &l->profile, &l->found, err);
}

static int read_profile(void *arg, struct arena *arena, struct buf *out, struct error *err)
{
    struct lookup *l = arg;
    uint64_t ticket = user_cache_ticket(l->room->cache, l->user);
    (void)arena;
    int rc = db_read(l->room->db, lookup_tx, l, err);
    if (rc < 0)
        return rc;
    if (!l->found)
        return user_not_found(err);
    user_cache_put(l->room->cache, ticket, &l->profile);
    schema_encode(&user_profile_schema, &l->profile, out);
    l->read = true;
    return 0;
}

/* However many ask at once for a profile that is not in memory, one reads it (kit/cache.h). */
int user_get(struct user_room *room, const struct id *user, struct arena *arena,
             struct user_profile *ret_profile, struct error *err)
{
    struct lookup l = {.room = room, .user = user, .arena = arena};
    struct buf json;
    char key[USER_READ_KEY_MAX];
    if (user_cache_get(room->cache, user, arena, ret_profile))
        return 0;
    buf_init(&json, PROFILE_BYTES_MAX);
    int rc = cache_get(room->reads, user_read_key(user, key), read_profile, &l, arena, &json, err);
    struct slice text = rc == 0 && !l.read ? arena_copy(arena, buf_view(&json)) : (struct slice){0};
    buf_done(&json);
    if (rc < 0)
        return rc;
    if (!l.read) /* its texts stay in the copy */
        return text.ptr != NULL
                   ? schema_decode(&user_profile_schema, text, arena, ret_profile, err)
                   : error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    *ret_profile = l.profile;
    return 0;
}

int user_get_by_name(struct user_room *room, struct slice username, struct arena *arena,
                     struct user_profile *ret_profile, struct error *err)
{
    struct lookup l = {.username = arena_copy_lower(arena, username), .arena = arena};
    if (l.username.ptr == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    int rc = db_read(room->db, lookup_tx, &l, err);
    if (rc < 0)
        return rc;
    if (!l.found)
        return user_not_found(err);
    *ret_profile = l.profile;
    return 0;
}

struct many {
    struct user_room *room;
    const struct id *users;
    size_t count;
    struct arena *arena;
    struct user_profile *profiles;
    uint64_t *tickets;
};

static int many_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct many *m = arg;
    for (size_t i = 0; i < m->count; i++) {
        bool found;
        if (!id_is_nil(&m->profiles[i].id))
            continue;
        int rc = user_store_get(tx, &m->users[i], m->arena, &m->profiles[i], &found, err);
        if (rc < 0)
            return rc;
        if (found)
            user_cache_put(m->room->cache, m->tickets[i], &m->profiles[i]);
    }
    return 0;
}

int user_get_many(struct user_room *room, const struct id *users, size_t count, struct arena *arena,
                  struct user_profile *ret_profiles, struct error *err)
{
    struct many m = {.room = room,
                     .users = users,
                     .count = count,
                     .arena = arena,
                     .profiles = ret_profiles,
                     .tickets = arena_array(arena, count, sizeof(uint64_t))};
    size_t missing = 0;
    if (m.tickets == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "Too many users at once.");
    for (size_t i = 0; i < count; i++) {
        if (user_cache_get(room->cache, &users[i], arena, &ret_profiles[i]))
            continue;
        ret_profiles[i] = (struct user_profile){0};
        m.tickets[i] = user_cache_ticket(room->cache, &users[i]);
        missing++;
    }
    return missing > 0 ? db_read(room->db, many_tx, &m, err) : 0;
}

/* --- editing -----------------------------------------------------------------------------------
 */

static int check_text(const char *field, struct slice text, size_t chars_max, struct error *err)
{
    if (text.ptr == NULL || utf8_length(text) <= chars_max)
        return 0;
    return error_field(err, field, "too_long", "At most %zu characters.", chars_max);
}

/* Our own files, or somebody's over TLS; nothing that a browser would run. */
static bool good_url(struct slice url)
{
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= 0x20 || url.ptr[i] == 0x7f || url.ptr[i] == '\\')
            return false;
    if (slice_starts(url, SLICE("https://")))
        return url.len > 8 && url.ptr[8] != '/';
    return url.len > 1 && url.ptr[0] == '/' && url.ptr[1] != '/';
}

static int check_patch(const struct user_patch *patch, struct error *err)
{
    int rc = check_text("full_name", patch->full_name, USER_NAME_CHARS_MAX, err);
    rc |= check_text("bio", patch->bio, USER_BIO_CHARS_MAX, err);
    if (patch->avatar_url.ptr != NULL && !good_url(patch->avatar_url))
        rc |= error_field(err, "avatar_url", "invalid_url",
                          "An https address, or a path on this server that begins with '/'.");
    return rc != 0 ? err->kind : 0;
}

static void apply_patch(const struct user_patch *patch, struct user_profile *profile)
{
    if (schema_has(patch->present, USER_PATCH_FULL_NAME))
        profile->full_name = patch->full_name;
    if (schema_has(patch->present, USER_PATCH_BIO))
        profile->bio = patch->bio;
    if (schema_has(patch->present, USER_PATCH_AVATAR_URL))
        profile->avatar_url = patch->avatar_url;
    if (schema_has(patch->present, USER_PATCH_IS_PRIVATE))
        profile->is_private = patch->is_private;
    if (schema_has(patch->present, USER_PATCH_BY_EMAIL))
        profile->discoverable_by_email = patch->discoverable_by_email;
    if (schema_has(patch->present, USER_PATCH_BY_PHONE))
        profile->discoverable_by_phone = patch->discoverable_by_phone;
}

struct update {
    struct user_room *room;
    const struct id *user;
    const struct user_patch *patch;
    int64_t expected_updated_at;
    struct slice correlation_id;
    struct arena *arena;
    struct user_profile profile;
    bool privacy_changed;
    uint64_t pos; /* of user.updated */
};

static int update_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct update *u = arg;
    bool found;
    int rc = user_store_get(tx, u->user, u->arena, &u->profile, &found, err);
    if (rc < 0)
        return rc;
    if (!found)
        return user_not_found(err);
    if (u->expected_updated_at != 0 && u->expected_updated_at != u->profile.updated_at)
        return error_set(err, FAIL_STALE, "stale",
                         "The profile has changed since it was read; read it again.");
    int64_t now_ms = clock_wall_ms(u->room->kit->clock);
    bool was_private = u->profile.is_private;
    apply_patch(u->patch, &u->profile);
    /* Grows at each edit, also within a millisecond: it is what a stale edit is told by. */
    u->profile.updated_at = now_ms > u->profile.updated_at ? now_ms : u->profile.updated_at + 1;
    u->privacy_changed = u->profile.is_private != was_private;
    rc = user_store_update(tx, &u->profile, err);
    if (rc == 0)
        rc = user_contact_write(u->room, tx, &u->profile, err);
    if (rc == 0)
        rc = user_emit_updated(u->room, tx, &u->profile, u->correlation_id, &u->pos, err);
    if (rc == 0)
        rc = user_forget_on_commit(u->room, tx, u->user, err);
    return rc;
}

/* Who asks to follow after the acknowledgement meets the rule that was acknowledged. The edit is
 * on the disk: a consumer that is away delays the effect, it does not undo it. */
static void wait_for_followers_rule(struct user_room *room, uint64_t pos)
{
    struct error waited;
    error_init(&waited);
    (void)!consumer_wait(room->kit->consumers, "social.people", pos, PRIVACY_WAIT_MS, &waited);
}

int user_update(struct user_room *room, const struct id *user, const struct user_patch *patch,
                int64_t expected_updated_at, struct slice correlation_id, struct arena *arena,
                struct user_profile *ret_profile, struct error *err)
{
    struct update u = {.room = room,
                       .user = user,
                       .patch = patch,
                       .expected_updated_at = expected_updated_at,
                       .correlation_id = correlation_id,
                       .arena = arena};
    int rc = check_patch(patch, err);
    if (rc < 0)
        return rc;
    if (patch->present == 0)
        return user_get(room, user, arena, ret_profile, err);
    rc = db_write(room->db, update_tx, &u, err);
    if (rc == 0 && u.privacy_changed)
        wait_for_followers_rule(room, u.pos);
    if (rc < 0)
        return rc;
    *ret_profile = u.profile;
    return 0;
}
