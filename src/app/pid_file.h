/* --pid-file: who runs here. Written by the process that has the data folder's lock, over a stale
 * one; removed only if it still names this process. path NULL does nothing. */
#ifndef PARLEY_APP_PID_FILE_H
#define PARLEY_APP_PID_FILE_H

#include "base/error.h"

int pid_file_write(const char *path, struct error *err) MUSTCHECK;
void pid_file_remove(const char *path);

#endif
