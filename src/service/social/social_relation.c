/* What the room answers to others: contract/social.h, whom a session follows, and what a person may
 * take along. */
#include "service/social/social_room.h"

/* --- relations -------------------------------------------------------------------------------- */

struct relations {
    const struct id *viewer, *others;
    size_t count;
    struct social_relation *relations;
    bool unknown; /* at least one of them is */
};

static int relations_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct relations *r = arg;
    r->unknown = false;
    for (size_t i = 0; i < r->count; i++) {
        struct social_relationship one;
        bool found;
        int rc = social_store_relation(tx, r->viewer, &r->others[i], &one, &found, err);
        if (rc < 0)
            return rc;
        r->relations[i] = one.relation;
        r->unknown |= !found && !id_is_nil(&r->others[i]);
    }
    return 0;
}

static int relations(void *arg, const struct id *viewer, const struct id *others, size_t count,
                     struct social_relation *ret_relations, struct error *err)
{
    struct social_room *room = arg;
    struct relations r = {
        .viewer = viewer, .others = others, .count = count, .relations = ret_relations};
    int rc = db_read(room->db, relations_tx, &r, err);
    if (rc < 0 || !r.unknown)
        return rc;
    social_settle(room);
    return db_read(room->db, relations_tx, &r, err);
}

static bool blocked(void *arg, const struct id *a, const struct id *b)
{
    const struct social_room *room = arg;
    return social_blocks_between(room->blocks, a, b);
}

/* --- people of whom the log says nothing ------------------------------------------------------ */

struct introduction {
    const struct social_acquaintance *people;
    size_t count;
};

static int introduce_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct introduction *i = arg;
    int rc = 0;
    for (size_t k = 0; rc == 0 && k < i->count; k++)
        rc = social_store_introduce(tx, &i->people[k], err);
    return rc;
}

static int introduce(void *arg, const struct social_acquaintance *people, size_t count,
                     struct error *err)
{
    struct social_room *room = arg;
    struct introduction introduction = {people, count};
    return db_write(room->db, introduce_tx, &introduction, err);
}

/* --- fan-out ---------------------------------------------------------------------------------- */

struct fan {
    bool followers;
    const struct id *person, *after;
    size_t limit, count;
    struct id *ids;
};

static int fan_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct fan *f = arg;
    return social_store_fan(tx, f->followers, f->person, f->after, f->limit, f->ids, &f->count,
                            err);
}

static int followers(void *arg, const struct id *person, const struct id *after, size_t limit,
                     struct id *ret_ids, size_t *ret_count, struct error *err)
{
    struct social_room *room = arg;
    struct fan fan = {true, person, after, limit, 0, ret_ids};
    int rc = db_read(room->db, fan_tx, &fan, err);
    if (rc == 0)
        *ret_count = fan.count;
    return rc;
}

static int following(void *arg, const struct id *person, const struct id *after, size_t limit,
                     struct id *ret_ids, size_t *ret_count, struct error *err)
{
    struct social_room *room = arg;
    struct fan fan = {false, person, after, limit, 0, ret_ids};
    int rc = db_read(room->db, fan_tx, &fan, err);
    if (rc == 0)
        *ret_count = fan.count;
    return rc;
}

static int person_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct social_person *person = arg;
    struct id user = person->id;
    return social_store_person(tx, &user, person, err);
}

static int follower_count(void *arg, const struct id *person, int64_t *ret_count, struct error *err)
{
    struct social_room *room = arg;
    struct social_person found = {.id = *person};
    int rc = db_read(room->db, person_tx, &found, err);
    if (rc == 0)
        *ret_count = found.followers;
    return rc;
}

/* --- lists for people ------------------------------------------------------------------------- */

struct page {
    struct social_room *room;
    enum social_list list;
    const struct id *viewer, *person;
    const struct cursor *after;
    size_t limit, count;
    struct id *ids;
    struct cursor next;
    bool more;
};

/* The blocked are shown in the list of the blocked, and nowhere else. */
static int keep_row(const struct social_list_row *row, void *arg, struct error *err)
{
    struct page *p = arg;
    (void)err;
    if (p->list != SOCIAL_LIST_BLOCKED &&
        social_blocks_between(p->room->blocks, p->viewer, &row->other))
        return 0;
    p->more = p->count == p->limit;
    if (p->more)
        return 1;
    p->ids[p->count++] = row->other;
    p->next = (struct cursor){row->made_at, row->other};
    return 0;
}

/* Whether the list is theirs to read. */
static int may_read(const struct page *p, struct db_tx *tx, struct error *err)
{
    struct social_relationship how;
    bool found;
    if (id_eq(p->viewer, p->person))
        return 0;
    if (p->list != SOCIAL_LIST_FOLLOWERS && p->list != SOCIAL_LIST_FOLLOWING)
        return error_set(err, FAIL_FORBIDDEN, "private_list", "Only they themselves see that.");
    int rc = social_store_relation(tx, p->viewer, p->person, &how, &found, err);
    if (rc < 0)
        return rc;
    if (!found || how.relation.blocked_by)
        return social_not_found(err);
    if (how.relation.blocking)
        return error_set(err, FAIL_FORBIDDEN, "blocking", "You have blocked this person.");
    if (how.relation.is_private && !how.relation.following)
        return error_set(err, FAIL_FORBIDDEN, "private_account",
                         "Only those who follow this person see that.");
    return 0;
}

static int page_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct page *p = arg;
    int rc = may_read(p, tx, err);
    return rc < 0 ? rc : social_store_list(tx, p->list, p->person, p->after, keep_row, p, err);
}

static int page(void *arg, enum social_list list, const struct id *viewer, const struct id *person,
                const struct page_query *query, struct id *ret_ids, size_t *ret_count,
                struct cursor *ret_next, bool *ret_more, struct error *err)
{
    struct social_room *room = arg;
    struct cursor cursor;
    bool given;
    int rc = cursor_decode(query->cursor, &cursor, &given, err);
    if (rc < 0)
        return rc;
    struct page p = {.room = room,
                     .list = list,
                     .viewer = viewer,
                     .person = person,
                     .after = given ? &cursor : NULL,
                     .limit = (size_t)query->limit,
                     .ids = ret_ids};
    rc = db_read(room->db, page_tx, &p, err);
    if (rc == FAIL_NOT_FOUND) {
        social_settle(room);
        error_init(err);
        rc = db_read(room->db, page_tx, &p, err);
    }
    if (rc < 0)
        return rc;
    *ret_count = p.count;
    *ret_next = p.next;
    *ret_more = p.more;
    return 0;
}

void social_calls_init(struct social_room *room)
{
    room->calls = (struct social_calls){.room = room,
                                        .introduce = introduce,
                                        .relations = relations,
                                        .blocked = blocked,
                                        .followers = followers,
                                        .following = following,
                                        .follower_count = follower_count,
                                        .page = page};
}

int social_streams(void *room, struct db_tx *tx, const struct id *user, stream_fn *fn, void *arg,
                   struct error *err)
{
    struct id own = topic_stream(SOCIAL_AUTHOR_TOPIC, user);
    (void)room;
    int rc = fn(&own, 0, arg, err); /* what one publishes on another device */
    return rc < 0 ? rc : social_store_streams(tx, user, fn, arg, err);
}
