/* --pid-file: who runs here. A stale file is overwritten; path NULL does nothing. */
#ifndef PARLEY_APP_PID_FILE_H
#define PARLEY_APP_PID_FILE_H

#include "base/error.h"

int pid_file_write(const char *path, struct error *err) MUSTCHECK;
void pid_file_remove(const char *path);

#endif
