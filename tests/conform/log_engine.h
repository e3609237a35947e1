/* The log under test: one of log_engine_<name>.c is linked with the suites. */
#ifndef PARLEY_TESTS_LOG_ENGINE_H
#define PARLEY_TESTS_LOG_ENGINE_H

#include "engine/event_log.h"

extern const char *const log_engine_name;

/* Opens the log of this test (the same one again after log_engine_close), migrated, not started.
 * Database and clock are the engine's to choose where the configuration has none. */
int log_engine_open(struct event_log_config *config, const struct clock *clock,
                    struct event_log **ret_log, struct error *err);
void log_engine_close(struct event_log *log);

#endif
