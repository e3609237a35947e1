#include "kit/kit.h"

#include "kit/module.h"

struct db *kit_db(struct kit *kit, const char *room)
{
    for (unsigned i = 0; i < kit->database_count; i++)
        if (strcmp(kit->databases[i].room, room) == 0)
            return kit->databases[i].db;
    return kit->main_db;
}

static int module_index(struct kit *kit, const char *name)
{
    for (int i = 0; kit->modules[i] != NULL; i++)
        if (strcmp(kit->modules[i]->name, name) == 0)
            return i;
    return -1;
}

void *kit_room(struct kit *kit, const char *name)
{
    int i = module_index(kit, name);
    panic_if(i < 0, "there is no room called %s", name);
    return kit->rooms[i];
}

const void *kit_calls(struct kit *kit, const char *room)
{
    int i = module_index(kit, room);
    panic_if(i < 0 || kit->modules[i]->calls == NULL, "the room %s takes no calls", room);
    return kit->modules[i]->calls(kit->rooms[i]);
}
