/* Introducing everybody who has a profile to those who otherwise learn of people by events.
 *
 * The log keeps an event for a while only, so a room that is younger than an account, or an index
 * that is made anew, may never be told that the account came. What is still to be done is a row in
 * the database that is filled, so that it goes on after a restart and is done once. It is done
 * while rooms start: no consumer runs yet, so nobody who is leaving can be brought back, and
 * nothing is answered before everybody is known.
 */
#include <stdlib.h>

#include "base/log.h"
#include "kit/consumer.h"
#include "service/user/user_room.h"
#include "service/user/user_store.h"

enum { PIECE = 500, PIECE_BYTES_MAX = 8 << 20 };

struct introduction {
    struct user_room *room;
    const struct introduced *to;
    bool due;
    struct id after;
    struct user_profile profiles[PIECE];
    size_t count;
    struct arena arena;
    uint64_t profiles_pos; /* up to where the profiles follow the log */
};

/* To whom; `give` is idempotent: a piece may come twice. */
struct introduced {
    const char *name;
    bool in_search; /* where its row is */
    int (*give)(struct introduction *i, struct error *err);
    const char *consumer; /* begins where the profiles stand; may be NULL */
};

/* --- the social room ----------------------------------------------------------------------------
 */

static int give_social(struct introduction *i, struct error *err)
{
    struct social_acquaintance people[PIECE];
    const struct social_calls *social = i->room->social;
    for (size_t k = 0; k < i->count; k++)
        people[k] = (struct social_acquaintance){i->profiles[k].id, i->profiles[k].is_private,
                                                 i->profiles[k].is_active};
    return social->introduce(social->room, people, i->count, err);
}

/* --- the search index ---------------------------------------------------------------------------
 */

static int give_search_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct introduction *i = arg;
    int rc = 0;
    for (size_t k = 0; rc == 0 && k < i->count; k++) {
        const struct user_profile *p = &i->profiles[k];
        bool changed;
        rc = user_search_store_put(tx, &p->id, p->username, p->full_name, err);
        if (rc == 0)
            rc = user_search_store_set_active(tx, &p->id, p->is_active, &changed, err);
    }
    return rc;
}

static int give_search(struct introduction *i, struct error *err)
{
    return db_write(i->room->search_db, give_search_tx, i, err);
}

/* --- in pieces ----------------------------------------------------------------------------------
 */

/* What is older than the profiles would only bring back, for a while, who had a name before. */
static const struct introduced introduced[] = {
    {"social", false, give_social, NULL},
    {"search", true, give_search, "user.search"},
};

static struct db *db_of(const struct introduction *i)
{
    return i->to->in_search ? i->room->search_db : i->room->db;
}

static int due_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct introduction *i = arg;
    return user_store_introduced(tx, i->to->name, &i->after, &i->due, err);
}

static int profiles_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct introduction *i = arg;
    int rc = user_store_page(tx, &i->after, PIECE, &i->arena, i->profiles, &i->count, err);
    return rc < 0 ? rc : consumer_get_position(tx, "user.profiles", &i->profiles_pos, err);
}

static int record_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct introduction *i = arg;
    int rc = user_store_set_introduced(tx, i->to->name, &i->after, !i->due, err);
    if (rc < 0 || i->due || i->to->consumer == NULL)
        return rc;
    return consumer_set_position(tx, i->to->consumer, i->profiles_pos, err);
}

static int piece(struct introduction *i, struct error *err)
{
    arena_reset(&i->arena);
    int rc = db_read(i->room->db, profiles_tx, i, err);
    if (rc == 0 && i->count > 0)
        rc = i->to->give(i, err);
    if (rc < 0)
        return rc;
    i->due = i->count == PIECE;
    if (i->count > 0)
        i->after = i->profiles[i->count - 1].id;
    return db_write(db_of(i), record_tx, i, err);
}

static int introduce(struct introduction *i, struct error *err)
{
    int64_t people = 0;
    int rc = db_read(db_of(i), due_tx, i, err);
    for (; rc == 0 && i->due; people += (int64_t)i->count)
        rc = piece(i, err);
    if (rc == 0 && people > 0)
        log_info("people introduced", LOG_S("to", i->to->name), LOG_I("count", people));
    return rc;
}

int user_introduce(struct user_room *room, struct error *err)
{
    struct introduction *i = xcalloc(1, sizeof *i);
    int rc = 0;
    i->room = room;
    arena_init(&i->arena, PIECE_BYTES_MAX);
    for (size_t k = 0; rc == 0 && k < ARRAY_LEN(introduced); k++) {
        i->to = &introduced[k];
        rc = introduce(i, err);
    }
    arena_done(&i->arena);
    free(i);
    return rc;
}

/* --- for rooms that know the user room ----------------------------------------------------------
 */

struct everybody {
    const struct id *after;
    size_t limit, count;
    struct id *ids;
};

static int everybody_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct everybody *e = arg;
    return user_store_page_ids(tx, e->after, e->limit, e->ids, &e->count, err);
}

int user_everybody(void *arg, const struct id *after, size_t limit, struct id *ret_ids,
                   size_t *ret_count, struct error *err)
{
    struct user_room *room = arg;
    struct everybody e = {after, limit, 0, ret_ids};
    int rc = db_read(room->db, everybody_tx, &e, err);
    if (rc == 0)
        *ret_count = e.count;
    return rc;
}
