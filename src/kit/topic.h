/* Topics: streams that are not a chat's or a user's own, named by a kind and mostly an id.
 *
 * Two uses. A room's `streams` makes people follow a topic for as long as a relation stands
 * ("author" of a user: what their followers see live). And a client that looks at one thing ("post"
 * of a post, "signals") watches its topic for as long as it looks: op watch, or ?watch= of the
 * event stream; the room that owns the kind says in its table of topics who may.
 */
#ifndef PARLEY_KIT_TOPIC_H
#define PARLEY_KIT_TOPIC_H

#include "base/id.h"

struct principal;
struct error;

/* The stream of a topic: a version 8 id (RFC 9562, 5.8) made from the kind and the id it is about
 * (NULL: there is one of the kind). The same on every node and after every restart. */
struct id topic_stream(const char *kind, const struct id *of);

/* One kind of topic that clients may watch; a row in a module's table. */
struct topic {
    const char *kind; /* "post": watched as "post:<id>"; with `alone` as "signals" */
    bool alone;
    unsigned scopes; /* needed to watch, as of a route */
    const char *doc;
    /* 0 when this person may watch it, else the error is set (404, 403). In a coroutine, may wait.
     * NULL: everybody signed in may. `of` is NULL for `alone`. */
    int (*check)(void *room, const struct principal *principal, const struct id *of,
                 struct error *err);
};

#endif
