/* The ephemeral store under test: one of kv_engine_<name>.c is linked with the suite. */
#ifndef PARLEY_TESTS_KV_ENGINE_H
#define PARLEY_TESTS_KV_ENGINE_H

#include "engine/kv.h"

extern const char *const kv_engine_name;
int kv_engine_open(const struct clock *clock, size_t entries_max, struct kv **ret_kv,
                   struct error *err);

#endif
