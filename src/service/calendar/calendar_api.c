#include "service/calendar/calendar.h"

static const char *const calendar_needs[] = {"social", "user", NULL};

const struct module calendar_module = {
    .name = "calendar",
    .needs = calendar_needs,
};
