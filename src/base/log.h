/* Structured log: one JSON object a line on standard error, written in batches by a thread of its
 * own. Callable from any thread and from coroutines; never waits: when the ring is full the line
 * is dropped and counted. Libraries and lower layers do not log; the edge does, once.
 *
 *     log_info("http request", LOG_S("method", "GET"), LOG_I("status", 200));
 */
#ifndef PARLEY_BASE_LOG_H
#define PARLEY_BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *key;
    struct slice text; /* ptr NULL: the number counts */
    int64_t number;
};
#define LOG_S(k, v) ((struct log_field){.key = (k), .text = slice_str(v)})
#define LOG_T(k, v) ((struct log_field){.key = (k), .text = (v)})
#define LOG_I(k, v) ((struct log_field){.key = (k), .number = (int64_t)(v)})

int log_start(enum log_level level, int fd); /* starts the writer thread */
void log_stop(void);                         /* flushes; later lines are written directly */
bool log_enabled(enum log_level level);
uint64_t log_dropped(void);
void log_write(enum log_level level, const char *message, const struct log_field *fields,
               size_t count);

/* The fields are evaluated only when the line is written: nothing may hang on it. */
#define log_at(level, message, ...)                                                                \
    do {                                                                                           \
        if (log_enabled(level))                                                                    \
            log_write(level, message, (const struct log_field[]){{0}, ##__VA_ARGS__} + 1,          \
                      sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) /                     \
                              sizeof(struct log_field) -                                           \
                          1);                                                                      \
    } while (0)
#define log_debug(message, ...) log_at(LOG_DEBUG, message, ##__VA_ARGS__)
#define log_info(message, ...) log_at(LOG_INFO, message, ##__VA_ARGS__)
#define log_warn(message, ...) log_at(LOG_WARN, message, ##__VA_ARGS__)
#define log_error(message, ...) log_at(LOG_ERROR, message, ##__VA_ARGS__)

#endif
