/* What the fields of a request head mean for its framing; inside src/net only. */
#ifndef PARLEY_NET_HTTP1_FIELDS_H
#define PARLEY_NET_HTTP1_FIELDS_H

#include "net/http1.h"

/* Fills everything of head that fields decide: host, body framing, connection, expectation. Wants
 * minor, method, headers and (absolute-form) host set. */
int http1_fields(struct http_head *head, struct error *err) MUSTCHECK;

#endif
