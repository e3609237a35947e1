#include "app/rooms.h"

#include <stdlib.h>

#include "app/roles.h"

static void stop_below(struct kit *kit, size_t count)
{
    while (count-- > 0)
        if (all_modules[count]->stop != NULL)
            all_modules[count]->stop(kit->rooms[count]);
    free(kit->rooms);
    kit->rooms = NULL;
}

/* The list in roles.c names whom a room needs before the room itself. */
static void check_needs(void)
{
    for (size_t i = 0; i < all_module_count; i++) {
        const char *const *need = all_modules[i]->needs;
        for (; need != NULL && *need != NULL; need++) {
            bool found = false;
            for (size_t before = 0; before < i; before++)
                found = found || strcmp(all_modules[before]->name, *need) == 0;
            panic_if(!found, "the room %s needs %s, which does not start before it",
                     all_modules[i]->name, *need);
        }
    }
}

int rooms_start(struct kit *kit, struct error *err)
{
    kit->rooms = xcalloc(all_module_count, sizeof *kit->rooms);
    check_needs();
    for (size_t i = 0; i < all_module_count; i++) {
        int rc =
            all_modules[i]->start != NULL ? all_modules[i]->start(kit, &kit->rooms[i], err) : 0;
        if (rc < 0) {
            stop_below(kit, i);
            return rc;
        }
    }
    return event_log_start(kit->log, err);
}

void rooms_stop(struct kit *kit)
{
    stop_below(kit, all_module_count);
}
