/* Opening a WebSocket and an event stream. */
#ifndef PARLEY_REALTIME_REALTIME_OPEN_H
#define PARLEY_REALTIME_REALTIME_OPEN_H

#include "realtime/realtime.h"

extern const struct schema realtime_socket_query_schema, realtime_stream_query_schema;
int realtime_open_socket(struct request *req); /* GET /ws */
int realtime_open_stream(struct request *req); /* GET /api/v1/stream */

#endif
