/* Starts an event stream (Server-Sent Events, WHATWG HTML section 9.2) on a socket whose answer
 * head has been sent. */
#ifndef PARLEY_REALTIME_SSE_SESSION_H
#define PARLEY_REALTIME_SSE_SESSION_H

#include "realtime/realtime.h"
#include "realtime/watch.h"

void sse_session_start(struct realtime *realtime, struct conn *conn,
                       const struct principal *principal, const struct position *from,
                       const struct watched_topic *watched, unsigned watched_count);

#endif
