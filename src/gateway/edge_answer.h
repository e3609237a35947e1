/* The last stage of the edge: headers, problem+json, CORS, metrics, the log line. */
#ifndef PARLEY_GATEWAY_EDGE_ANSWER_H
#define PARLEY_GATEWAY_EDGE_ANSWER_H

#include "gateway/edge.h"
#include "io/spares.h"

/* One request on its way through the edge, valid until `done`; used again by others after it. */
struct edge_call {
    struct spare spare;
    struct edge *edge;
    const struct edge_route *entry; /* &edge->unrouted for static files and refusals */
    struct slice path;              /* of a route, always with its version */
    struct route_match match;
    struct request req;
    struct principal principal;
    struct buf head; /* header lines of the answer */
    char correlation[ID_TEXT_LEN + 1];
    bool is_static, is_preflight;
};

/* The call of an exchange, made now if the request was refused before admit. */
struct edge_call *edge_call_of(struct http_exchange *x);

void edge_answer(struct edge_call *call, struct http_exchange *x);
void edge_answer_problem(struct edge_call *call, struct http_exchange *x, const struct error *err);
/* For routes that answer by themselves: the lines of every answer, as x->lines. */
void edge_answer_lines(struct edge_call *call, struct http_exchange *x);
void edge_answer_preflight(struct edge_call *call, struct http_exchange *x);
void edge_answer_static(struct edge_call *call, struct http_exchange *x);
void edge_account(struct edge_call *call, struct http_exchange *x); /* metrics and log */

#endif
