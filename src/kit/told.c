#include "kit/told.h"

static bool is_one_of(const struct event_type *type, const struct event_type *const *types)
{
    for (; *types != NULL; types++)
        if (*types == type)
            return true;
    return false;
}

int told_review(struct told_event *events, unsigned count, const struct event_type *const *types,
                told_fn *may, void *room, const struct principal *principal, struct arena *arena,
                struct error *err)
{
    for (unsigned i = 0; i < count; i++) {
        struct error why;
        if (!is_one_of(events[i].type, types))
            continue;
        error_init(&why);
        int rc = may(room, principal, events[i].data, arena, &why);
        if (rc == FAIL_NOT_FOUND || rc == FAIL_FORBIDDEN) {
            events[i].type = NULL;
        } else if (rc < 0) {
            *err = why;
            return rc;
        }
    }
    return 0;
}
