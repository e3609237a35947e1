/* What the engines and loops count, as metrics (C11, D06, O01). */
#ifndef PARLEY_GATEWAY_ENGINE_METRICS_H
#define PARLEY_GATEWAY_ENGINE_METRICS_H

#include "kit/kit.h"

void engine_metrics_register(struct kit *kit);

#endif
