/* Tickets: what a browser's EventSource shows instead of a token it cannot send. A ticket belongs
 * to a session, works for reconnections too, and ends with the session (API.md, "SSE"). */
#ifndef PARLEY_REALTIME_TICKET_H
#define PARLEY_REALTIME_TICKET_H

#include "realtime/realtime.h"

int ticket_create(struct request *req); /* handler of POST /api/v1/stream/ticket */
/* FAIL_UNAUTHENTICATED "invalid_ticket". Waits for the database. */
int ticket_check(struct realtime *realtime, struct slice ticket, struct principal *ret_principal,
                 struct error *err) MUSTCHECK;
/* Consumer of session.revoked. */
int ticket_on_revoked(void *room, struct db_tx *tx, const struct event *event, struct error *err);
int ticket_clean(void *room, struct error *err); /* job: drops the expired */
extern const struct schema ticket_schema;

#endif
