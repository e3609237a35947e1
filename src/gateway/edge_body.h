/* What a request says, as the structs that its route's schemas describe. */
#ifndef PARLEY_GATEWAY_EDGE_BODY_H
#define PARLEY_GATEWAY_EDGE_BODY_H

#include "gateway/edge_answer.h"

/* Path parameters, query and body into call->req. A body that came compressed (gzip, zstd) is
 * unpacked first, into at most what the route takes uncompressed; x->body is the plain one then. */
int edge_decode(struct edge_call *call, struct http_exchange *x) MUSTCHECK;
/* Whether a query is passed over where the route knows none: on documents that stand open, which
 * probes, scrapers and calendar programs fetch, some with a parameter against caches. */
bool edge_ignores_query(const struct route *route);
/* The largest body that the route takes. */
int64_t edge_body_max(const struct route *route);

#endif
