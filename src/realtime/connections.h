/* Who is connected to this process now, for the admin page. Each loop is asked by mail and answers
 * on its own thread; nothing is locked, and a loop is never asked for more than a page. */
#ifndef PARLEY_REALTIME_CONNECTIONS_H
#define PARLEY_REALTIME_CONNECTIONS_H

#include "kit/paging.h"
#include "realtime/realtime.h"

#define CONNECTION_ID_MAX 40
#define CONNECTION_PEER_MAX 48
#define CONNECTIONS_OF_USER_MAX 100 /* of one user on one loop that are shown */

struct connection_view {
    char id[CONNECTION_ID_MAX]; /* good until the connection ends, and never another one's */
    struct id user, session;
    const char *transport;
    char peer[CONNECTION_PEER_MAX]; /* "" when the socket is gone already */
    int64_t connected_ms;           /* wall clock, to the second */
    size_t queued_bytes;
    unsigned follows, watches;
};

/* From a coroutine: up to `limit` connections after the cursor (zero: from the first), of one user
 * or (NULL) of all; those that come while one pages are seen or not. *ret_more: there are more, go
 * on with *ret_next. */
void connections_list(struct realtime *realtime, const struct id *user, const struct cursor *after,
                      unsigned limit, struct connection_view *ret_views, unsigned *ret_count,
                      struct cursor *ret_next, bool *ret_more);
/* Closes one with 4009: its client comes back with its position. False when there is none. */
bool connections_close(struct realtime *realtime, struct slice id);

#endif
