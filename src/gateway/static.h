/* The web client's files, out of the program itself: negotiated coding, entity tags, and a strict
 * content security policy. */
#ifndef PARLEY_GATEWAY_STATIC_H
#define PARLEY_GATEWAY_STATIC_H

#include "net/http_server.h"

/* Whether a path that no route has is the web client's: a file of its own, or a page that it routes
 * by itself (asked for by a browser that wants HTML). */
bool static_has(const struct http_head *head);
void static_serve(struct http_exchange *x, struct slice extra_headers);

#endif
