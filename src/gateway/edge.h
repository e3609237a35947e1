/* The edge: every HTTP request passes here, in stages that each do one thing: correlation id,
 * route, client address, authentication, scopes, limits, decoding, idempotency; then the room's
 * handler; then the answer with its headers, metrics and log line. What rooms return as an error
 * leaves as problem+json, here and nowhere else.
 */
#ifndef PARLEY_GATEWAY_EDGE_H
#define PARLEY_GATEWAY_EDGE_H

#include "gateway/address.h"
#include "kit/module.h"
#include "net/http_server.h"
#include "net/route.h"

struct edge_route {
    const struct route *route;
    void *room;
    struct metric *latency;
    struct metric *answers[6]; /* by status class, 1xx..5xx */
};

struct edge {
    struct kit *kit;
    struct route_tree *tree;
    struct edge_route *routes;
    size_t route_count;
    struct network trusted[32];
    size_t trusted_count;
    bool per_user, per_address, log_requests;
    struct limit_rules {
        int64_t user, anonymous;
    } limits;
    _Atomic bool draining;      /* readiness is off */
    struct edge_route unrouted; /* static files and what matches nothing */
};

extern const struct config_key edge_config[];
/* After the modules have started. FAIL_INVALID when trusted_proxies is wrong. */
int edge_new(struct kit *kit, struct edge **ret_edge, struct error *err) MUSTCHECK;
void edge_free(struct edge *edge);
/* What a loop's http server needs; arg is the edge. */
extern const struct http_server_ops edge_server_ops;
void edge_server_config(struct edge *edge, struct http_server_config *ret_config);

#endif
