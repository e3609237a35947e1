/* What operators and tools ask: health, readiness, metrics, and the description of the API. */
#ifndef PARLEY_GATEWAY_OPERATIONS_H
#define PARLEY_GATEWAY_OPERATIONS_H

#include "gateway/edge.h"

extern const struct module operations_module;
/* Makes the documents and remembers the edge; before traffic. */
void operations_go(struct kit *kit, struct edge *edge, const char *version);

#endif
