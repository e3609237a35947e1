/* Long polling for plain HTTP: GET /api/v1/updates (API.md). */
#ifndef PARLEY_REALTIME_POLL_H
#define PARLEY_REALTIME_POLL_H

#include "realtime/realtime.h"

int poll_updates(struct request *req);
extern const struct schema poll_query_schema, poll_answer_schema;

#endif
