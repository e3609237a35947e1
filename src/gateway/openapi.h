/* The server's own description, printed from the tables that it runs by: OpenAPI 3.1 from routes,
 * AsyncAPI 3.0 from socket ops and events. What a table does not say cannot stand here, and what
 * it says cannot be forgotten. */
#ifndef PARLEY_GATEWAY_OPENAPI_H
#define PARLEY_GATEWAY_OPENAPI_H

#include "base/buf.h"

struct module;

/* Append one JSON document. `modules` is NULL-terminated. Routes with ROUTE_HIDDEN and events that
 * clients do not see are left out. Failure only through the buf's cap. The same tables give the
 * same bytes. */
void openapi_write(const struct module *const *modules, const char *version, struct buf *out);
void asyncapi_write(const struct module *const *modules, const char *version, struct buf *out);

#endif
