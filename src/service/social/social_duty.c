/* Work that may concern a million rows: done in pieces, each a transaction of its own with counts
 * that are right after it, so that nobody else's writing waits for all of it, and a restart goes on
 * where it stopped. */
#include "kit/emit.h"
#include "service/social/social_room.h"

enum { PIECE = 200 };

/* --- letting in who waits --------------------------------------------------------------------- */

static int accept_piece(struct social_room *room, struct db_tx *tx, const struct id *target,
                        bool *ret_more, struct error *err)
{
    struct social_person person;
    struct id askers[PIECE];
    size_t count = 0;
    int rc = social_store_person(tx, target, &person, err);
    if (rc == 0 && person.found && !person.is_private)
        rc = social_store_askers(tx, target, PIECE, askers, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct social_edge edge = {room, &askers[i], target, {0}};
        bool asked;
        rc = social_graph_withdraw(&edge, tx, false, &asked, err);
        if (rc == 0)
            rc = social_graph_follow(&edge, tx, err);
    }
    *ret_more = count == PIECE;
    return rc;
}

/* --- erasing somebody ------------------------------------------------------------------------- */

/* Their own client is gone, and the others' lists simply no longer name them: no events. */
static int erase_follow(struct social_room *room, struct db_tx *tx, const struct social_pair *pair,
                        struct error *err)
{
    (void)room;
    int rc = social_store_drop_follow(tx, &pair->by, &pair->about, err);
    if (rc == 0)
        rc = social_store_count(tx, &pair->about, SOCIAL_COUNT_FOLLOWERS, -1, err);
    return rc < 0 ? rc : social_store_count(tx, &pair->by, SOCIAL_COUNT_FOLLOWING, -1, err);
}

static int erase_request(struct social_room *room, struct db_tx *tx, const struct social_pair *pair,
                         struct error *err)
{
    const struct social_edge edge = {room, &pair->by, &pair->about, {0}};
    bool was;
    return social_graph_withdraw(&edge, tx, false, &was, err);
}

static int erase_block(struct social_room *room, struct db_tx *tx, const struct social_pair *pair,
                       struct error *err)
{
    bool changed;
    return social_graph_block(room, tx, &pair->by, &pair->about, false, &changed, err);
}

static int erase_mute(struct social_room *room, struct db_tx *tx, const struct social_pair *pair,
                      struct error *err)
{
    bool changed;
    (void)room;
    int rc = social_store_drop(tx, SOCIAL_PAIRS_MUTE, &pair->by, &pair->about, &changed, err);
    return rc < 0 ? rc : social_store_count(tx, &pair->by, SOCIAL_COUNT_MUTES, -1, err);
}

static int (*const erasers[])(struct social_room *room, struct db_tx *tx,
                              const struct social_pair *pair, struct error *err) = {
    [SOCIAL_TABLE_FOLLOWS] = erase_follow,
    [SOCIAL_TABLE_REQUESTS] = erase_request,
    [SOCIAL_TABLE_BLOCKS] = erase_block,
    [SOCIAL_TABLE_MUTES] = erase_mute,
};

/* The first table that still names them. */
static int erase_piece(struct social_room *room, struct db_tx *tx, const struct id *user,
                       bool *ret_more, struct error *err)
{
    struct social_pair pairs[PIECE];
    size_t count = 0;
    int rc = 0;
    for (unsigned table = 0; rc == 0 && count == 0 && table < ARRAY_LEN(erasers); table++) {
        rc = social_store_pairs(tx, table, user, PIECE, pairs, &count, err);
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = erasers[table](room, tx, &pairs[i], err);
    }
    if (rc == 0 && count == 0)
        rc = social_store_forget_reporter(tx, user, PIECE, &count, err);
    *ret_more = count > 0;
    return rc;
}

/* --- the job ---------------------------------------------------------------------------------- */

struct piece {
    struct social_room *room;
    bool found;
};

static int piece_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct piece *p = arg;
    struct id user;
    int kind;
    bool more;
    int rc = social_store_next_duty(tx, &user, &kind, &p->found, err);
    if (rc < 0 || !p->found)
        return rc;
    rc = kind == SOCIAL_DUTY_ACCEPT ? accept_piece(p->room, tx, &user, &more, err)
                                    : erase_piece(p->room, tx, &user, &more, err);
    return rc < 0 || more ? rc : social_store_drop_duty(tx, &user, kind, err);
}

int social_duties(void *arg, struct error *err)
{
    struct social_room *room = arg;
    struct piece piece = {.room = room, .found = true};
    if (!atomic_exchange(&room->duties, false))
        return 0;
    int rc = 0;
    while (rc == 0 && piece.found)
        rc = db_write(room->db, piece_tx, &piece, err);
    if (rc < 0)
        atomic_store(&room->duties, true);
    return rc;
}

static void wake(void *arg, const struct id *user)
{
    struct social_room *room = arg;
    (void)user;
    atomic_store(&room->duties, true);
}

int social_duty_add(struct social_room *room, struct db_tx *tx, const struct id *user,
                    enum social_duty_kind kind, struct error *err)
{
    int rc = social_store_put_duty(tx, user, kind, err);
    return rc < 0 ? rc : kit_after_commit(tx, wake, room, user, err);
}
