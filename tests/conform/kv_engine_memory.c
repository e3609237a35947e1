#include "kv_engine.h"

const char *const kv_engine_name = "memory";

int kv_engine_open(const struct clock *clock, size_t entries_max, struct kv **ret_kv,
                   struct error *err)
{
    return kv_memory_open(clock, entries_max, ret_kv, err);
}
