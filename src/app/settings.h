/* What a server refuses about its settings when it starts, looked at before anything is made: by
 * config check, and by serve before it touches the data folder. */
#ifndef PARLEY_APP_SETTINGS_H
#define PARLEY_APP_SETTINGS_H

#include "base/config.h"

/* FAIL_INVALID with every setting that is wrong. Reads the files that settings name, binds nothing
 * for longer than a look and does not open the data folder. Blocks. */
int settings_check(const struct config *config, struct error *err) MUSTCHECK;

#endif
