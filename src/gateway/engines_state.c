#include "gateway/engines_state.h"

struct engines_state engines_state(struct kit *kit, struct arena *arena)
{
    struct error err;
    struct slice value;
    error_init(&err);
    bool database = kit_databases_work(kit);
    bool ephemeral = kit->kv->ops->get(kit->kv, SLICE("health"), arena, &value, &err) == 0;
    struct event_log_stats log;
    event_log_stats(kit->log, &log);
    return (struct engines_state){database, database && !log.refuses, ephemeral};
}

struct slice engines_word(bool works)
{
    return works ? SLICE("ok") : SLICE("failing");
}
