#include "service/signal/signal.h"

static const char *const signal_needs[] = {"user", NULL};

const struct module signal_module = {
    .name = "signal",
    .needs = signal_needs,
};
