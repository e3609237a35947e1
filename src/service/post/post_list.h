/* Walking a list of posts; inside src/service/post only. */
#ifndef PARLEY_SERVICE_POST_LIST_H
#define PARLEY_SERVICE_POST_LIST_H

#include "service/post/post_room.h"

enum { POST_WALK_MAX = PAGE_LIMIT_MAX + 1 };

/* A list and where one stands in it. */
struct post_walk {
    /* At most max refs after `at`, fewer at the end of the list; may wait. */
    int (*read)(struct post_call *call, struct post_walk *walk, size_t max,
                struct post_ref *ret_refs, size_t *ret_count);
    struct cursor at; /* of the last ref taken: its `at` and id */
    bool without_muted;
    /* the list's own */
    struct id user;
    int visibility;
    struct slice tag, ranking;
};

/* A page of what the viewer may see, from the query's cursor on. */
int post_list_walk(struct post_call *call, struct post_walk *walk, const struct page_query *query,
                   struct post_page *ret_page) MUSTCHECK;

#endif
