#include "gateway/engines_state.h"

struct engines_state engines_state(struct kit *kit, struct arena *arena)
{
    struct error err;
    struct slice value;
    error_init(&err);
    bool database = kit_databases_work(kit);
    bool ephemeral = kit->kv->ops->get(kit->kv, SLICE("health"), arena, &value, &err) == 0;
    return (struct engines_state){database, database, ephemeral};
}

struct slice engines_word(bool works)
{
    return works ? SLICE("ok") : SLICE("failing");
}
