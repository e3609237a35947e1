#include "contract/social.h"

#include <stdlib.h>

#include "service/social/social.h"

struct social_room {
    struct social_calls calls;
};

static int relations(void *room, const struct id *viewer, const struct id *others, size_t count,
                     struct social_relation *ret_relations, struct error *err)
{
    (void)room;
    (void)err;
    for (size_t i = 0; i < count; i++)
        ret_relations[i] = (struct social_relation){.self = id_eq(viewer, &others[i])};
    return 0;
}

static bool blocked(void *room, const struct id *a, const struct id *b)
{
    (void)room;
    (void)a;
    (void)b;
    return false;
}

static int nobody(void *room, const struct id *person, const struct id *after, size_t limit,
                  struct id *ret_ids, size_t *ret_count, struct error *err)
{
    (void)room;
    (void)person;
    (void)after;
    (void)limit;
    (void)ret_ids;
    (void)err;
    *ret_count = 0;
    return 0;
}

static int follower_count(void *room, const struct id *person, int64_t *ret_count,
                          struct error *err)
{
    (void)room;
    (void)person;
    (void)err;
    *ret_count = 0;
    return 0;
}

static int empty_page(void *room, enum social_list list, const struct id *viewer,
                      const struct id *person, const struct page_query *query, struct id *ret_ids,
                      size_t *ret_count, struct cursor *ret_next, bool *ret_more, struct error *err)
{
    (void)room;
    (void)list;
    (void)viewer;
    (void)person;
    (void)query;
    (void)ret_ids;
    (void)ret_next;
    (void)err;
    *ret_count = 0;
    *ret_more = false;
    return 0;
}

static int start(struct kit *kit, void **ret_room, struct error *err)
{
    struct social_room *room = xcalloc(1, sizeof *room);
    (void)kit;
    (void)err;
    room->calls = (struct social_calls){.room = room,
                                        .relations = relations,
                                        .blocked = blocked,
                                        .followers = nobody,
                                        .following = nobody,
                                        .follower_count = follower_count,
                                        .page = empty_page};
    *ret_room = room;
    return 0;
}

static const void *calls(void *arg)
{
    struct social_room *room = arg;
    return &room->calls;
}

const struct module social_module = {
    .name = "social",
    .start = start,
    .stop = free,
    .calls = calls,
};
