/* The parts of the OpenAPI document that belong to one route. Internal to openapi.c. */
#ifndef PARLEY_GATEWAY_OPENAPI_OPERATION_H
#define PARLEY_GATEWAY_OPENAPI_OPERATION_H

#include "kit/module.h"

/* `"get":{...}` with parameters, body, answers and error codes. */
void openapi_write_operation(const struct module *m, const struct route *r, struct buf *out);
/* The route's tag, or its module's name. */
const char *openapi_tag(const struct module *m, const struct route *r);
/* The members of components/responses and components/headers that operations point to. */
void openapi_write_responses(struct buf *out);
void openapi_write_headers(struct buf *out);

#endif
