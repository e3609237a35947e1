/* From a routed request to its handler's result. */
#ifndef PARLEY_GATEWAY_EDGE_STAGES_H
#define PARLEY_GATEWAY_EDGE_STAGES_H

#include "gateway/edge_answer.h"

/* In the exchange's coroutine. What the handler returned, or what a stage refused: the error is in
 * call->req.error. */
int edge_run(struct edge_call *call, struct http_exchange *x) MUSTCHECK;
bool edge_visible(struct slice text); /* printable ASCII without spaces */

#endif
