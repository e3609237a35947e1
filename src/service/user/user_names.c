/* Who is behind a handful of usernames: one snapshot for all of them. */
#include "service/user/user_room.h"
#include "service/user/user_store.h"

enum { PROFILES_BYTES_MAX = 1 << 20 };

struct names {
    const struct slice *names;
    size_t count;
    struct id *ids;
};

static int names_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct names *n = arg;
    struct arena arena;
    int rc = 0;
    arena_init(&arena, PROFILES_BYTES_MAX);
    for (size_t i = 0; rc == 0 && i < n->count; i++) {
        struct user_profile profile;
        bool found;
        rc = user_store_get_by_name(tx, n->names[i], &arena, &profile, &found, err);
        n->ids[i] = rc == 0 && found && profile.is_active ? profile.id : (struct id){{0}};
        arena_reset(&arena);
    }
    arena_done(&arena);
    return rc;
}

int user_find_names(void *room, const struct slice *names, size_t count, struct id *ret_ids,
                    struct error *err)
{
    struct names n = {.names = names, .count = count, .ids = ret_ids};
    return db_read(((struct user_room *)room)->db, names_tx, &n, err);
}
