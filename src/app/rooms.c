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

int rooms_start(struct kit *kit, struct error *err)
{
    kit->rooms = xcalloc(all_module_count, sizeof *kit->rooms);
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
