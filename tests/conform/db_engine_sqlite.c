#include "db_engine.h"

#include <stdio.h>

#include "harness.h"

const char *const db_engine_name = "sqlite";

int db_engine_open(const char *name, const struct clock *clock, struct db **ret_db,
                   struct error *err)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s.db", test_dir(), name);
    struct db_config config = {
        .path = path,
        .sync = DB_SYNC_FULL,
        .readers = 2,
        .queue_max = 10000,
        .batch_max = 512,
        .clock = clock,
    };
    return db_open(&config, ret_db, err);
}
