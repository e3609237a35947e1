#include "kit/kit.h"

#include "engine/db_one.h"
#include "kit/module.h"

struct db *kit_db(struct kit *kit, const char *room)
{
    for (unsigned i = 0; i < kit->database_count; i++)
        if (strcmp(kit->databases[i].room, room) == 0)
            return kit->databases[i].db;
    return kit->main_db;
}

bool kit_database_again(const struct kit *kit, unsigned index)
{
    for (unsigned i = 0; i < index; i++)
        if (kit->databases[i].db == kit->databases[index].db)
            return true;
    return false;
}

static const struct db_sql sql_ping = {"SELECT 1"};

static int ping(struct db_tx *tx, void *arg, struct error *err)
{
    int64_t one;
    (void)arg;
    return db_one_int(tx, &sql_ping, &one, err);
}

bool kit_databases_work(struct kit *kit)
{
    struct error err;
    error_init(&err);
    bool works = db_read(kit->main_db, ping, NULL, &err) == 0;
    for (unsigned i = 0; works && i < kit->database_count; i++)
        if (kit->databases[i].name != NULL && !kit_database_again(kit, i))
            works = db_read(kit->databases[i].db, ping, NULL, &err) == 0;
    return works;
}

const struct event_type *kit_event_type(const struct kit *kit, struct slice name)
{
    for (int m = 0; kit->modules[m] != NULL; m++) {
        const struct event_type *const *types = kit->modules[m]->events;
        for (int i = 0; types != NULL && types[i] != NULL; i++)
            if (slice_eq(slice_str(types[i]->name), name))
                return types[i];
    }
    return NULL;
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
