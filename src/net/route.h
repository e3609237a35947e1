/* Path matching: a tree of segments over constant route tables. Literal beats parameter. A path
 * that exists with another method gives FAIL_METHOD and the Allow list (RFC 9110 section 15.5.6).
 */
#ifndef PARLEY_NET_ROUTE_H
#define PARLEY_NET_ROUTE_H

#include "net/http1.h"

#define ROUTE_PARAMS_MAX 4

struct route_tree;

struct route_match {
    const void *route;                     /* what route_add was given */
    struct slice params[ROUTE_PARAMS_MAX]; /* raw text, in order of the pattern */
    unsigned param_count;
    char allow[64]; /* filled on FAIL_METHOD: "GET, PUT" */
};

struct route_tree *route_tree_new(void);
void route_tree_free(struct route_tree *tree);
/* pattern: "/api/v1/chats/{id}/messages/{seq}"; a last segment "{rest...}" takes the remainder.
 * Aborts when the same pattern and method is added twice: a bug. */
void route_add(struct route_tree *tree, enum http_method method, const char *pattern,
               const void *route);
/* HEAD falls back to GET. Allocates nothing. 0, FAIL_NOT_FOUND or FAIL_METHOD. */
int route_find(const struct route_tree *tree, enum http_method method, struct slice path,
               struct route_match *ret_match) MUSTCHECK;

#endif
