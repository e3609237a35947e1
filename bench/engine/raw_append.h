#ifndef PARLEY_BENCH_RAW_APPEND_H
#define PARLEY_BENCH_RAW_APPEND_H

#include <stdint.h>

/* Appends `rows` rows of the log's shape to a new database at `path`, `batch` per transaction, one
 * fsync each; prints one line. */
void raw_append(const char *path, int64_t present, int64_t rows, int batch);

#endif
