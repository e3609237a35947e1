/* The engine under test: one of db_engine_<name>.c is linked with the suites. */
#ifndef PARLEY_TESTS_DB_ENGINE_H
#define PARLEY_TESTS_DB_ENGINE_H

#include "engine/db.h"

extern const char *const db_engine_name;
/* An empty database of this test, or the same one again when `name` was opened and closed before in
 * the same test. */
int db_engine_open(const char *name, const struct clock *clock, struct db **ret_db,
                   struct error *err);

#endif
