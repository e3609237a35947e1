#include "log_engine.h"

#include <stdio.h>

#include "harness.h"

const char *const log_engine_name = "embedded";

int log_engine_open(struct event_log_config *config, const struct clock *clock,
                    struct event_log **ret_log, struct error *err)
{
    char path[200];
    snprintf(path, sizeof path, "%s/log.db", test_dir());
    struct db_config db_config = {
        .path = path, .readers = 2, .queue_max = 10000, .batch_max = 512, .clock = clock};
    int rc = db_open(&db_config, &config->db, err);
    if (rc == 0)
        rc = db_migrate(config->db, &event_log_schema, 1, NULL, err);
    return rc == 0 ? event_log_open(config, ret_log, err) : rc;
}

void log_engine_close(struct event_log *log)
{
    struct db *db = event_log_db(log);
    event_log_close(log);
    db_close(db);
}
