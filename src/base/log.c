/* Two buffers: lines are formatted on the caller's stack and copied into the one being filled; the
 * writer thread swaps them and writes the other. The lock is held for that copy or that swap only,
 * never during a write.
 *
 * The writer collects for COLLECT_MS after the first line, so that a busy process makes a few
 * hundred writes a second whatever it logs; an error line is written at once. A line that is longer
 * than LINE_BYTES_MAX loses the fields that do not fit and says so ("cut": true).
 */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"

enum { LINE_BYTES_MAX = 4096, ENDING_BYTES = 16, RING_BYTES = 1 << 20, COLLECT_MS = 5 };

struct half {
    char *bytes;
    size_t len;
    uint64_t lines;
};

struct logger {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    struct half filling, writing;
    bool running, stopping, urgent;
    int fd;
    uint64_t reported; /* drops that a line has told about */
};

static struct logger logger = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .fd = STDERR_FILENO};
static _Atomic int threshold = LOG_INFO;
static _Atomic uint64_t dropped;

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

uint64_t log_dropped(void)
{
    return atomic_load_explicit(&dropped, memory_order_relaxed);
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len != 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            poll(&p, 1, 1000);
        } else if (n < 0 && errno != EINTR) {
            return false;
        } else if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return true;
}

static void put_field(struct buf *line, const struct log_field *field)
{
    buf_char(line, ',');
    json_write_string(line, slice_str(field->key));
    buf_char(line, ':');
    if (field->text.ptr != NULL)
        json_write_string(line, field->text);
    else
        buf_i64(line, field->number);
}

/* One line into `bytes`. The cap grows only at the end: what goes before leaves ENDING_BYTES. */
static struct slice format(char bytes[LINE_BYTES_MAX], enum log_level level, const char *message,
                           const struct log_field *fields, size_t count)
{
    struct buf b = {.ptr = bytes, .cap = LINE_BYTES_MAX - ENDING_BYTES}, *line = &b;
    b.max = b.cap; /* so that it never asks for memory */
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    char now[TIME_TEXT_LEN + 1];
    time_format(clock_wall_ms(&clock_system), now);
    buf_lit(line, "{\"time\":\"");
    buf_str(line, now);
    buf_lit(line, "\",\"level\":\"");
    buf_str(line, levels[level]);
    buf_lit(line, "\",\"msg\":");
    size_t kept = line->len;
    json_write_string(line, slice_str(message));
    bool cut = !buf_ok(line);
    if (cut) {
        line->len = kept;
        line->failed = false;
        buf_lit(line, "\"\"");
    }
    for (size_t i = 0; i < count; i++) {
        kept = line->len;
        put_field(line, &fields[i]);
        if (!buf_ok(line)) {
            line->len = kept;
            line->failed = false;
            cut = true;
        }
    }
    b.max = b.cap = LINE_BYTES_MAX;
    buf_str(line, cut ? ",\"cut\":true}\n" : "}\n");
    return buf_view(line);
}

static void enqueue(enum log_level level, struct slice line)
{
    pthread_mutex_lock(&logger.lock);
    struct half *half = &logger.filling;
    if (!logger.running) {
        if (!write_all(logger.fd, line.ptr, line.len))
            atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
    } else if (RING_BYTES - half->len < line.len) {
        atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
    } else {
        bool wake = half->len == 0 || level == LOG_ERROR || half->len > RING_BYTES / 2;
        memcpy(half->bytes + half->len, line.ptr, line.len);
        half->len += line.len;
        half->lines++;
        logger.urgent = logger.urgent || level == LOG_ERROR || half->len > RING_BYTES / 2;
        if (wake)
            pthread_cond_signal(&logger.wake);
    }
    pthread_mutex_unlock(&logger.lock);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields,
               size_t count)
{
    char bytes[LINE_BYTES_MAX];
    enqueue(level, format(bytes, level, message, fields, count));
}

static bool drops_untold(void)
{
    return log_dropped() != logger.reported;
}

/* After the batch, so that the line stands where the missing ones would. */
static void tell_drops(void)
{
    uint64_t total = log_dropped();
    char bytes[LINE_BYTES_MAX];
    const struct log_field field = LOG_I("count", total - logger.reported);
    struct slice line = format(bytes, LOG_WARN, "log lines were dropped", &field, 1);
    if (write_all(logger.fd, line.ptr, line.len))
        logger.reported = total;
}

/* Waits for lines, then a little for more of them. Under the lock. */
static void wait_for_lines(void)
{
    while (logger.filling.len == 0 && !logger.stopping)
        pthread_cond_wait(&logger.wake, &logger.lock);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += COLLECT_MS * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (!logger.urgent && !logger.stopping)
        if (pthread_cond_timedwait(&logger.wake, &logger.lock, &until) == ETIMEDOUT)
            break;
}

static void *run(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&logger.lock);
    while (!logger.stopping || logger.filling.len != 0) {
        wait_for_lines();
        struct half full = logger.filling;
        logger.filling = logger.writing;
        logger.writing = full;
        logger.urgent = false;
        pthread_mutex_unlock(&logger.lock);
        if (!write_all(logger.fd, full.bytes, full.len))
            atomic_fetch_add_explicit(&dropped, full.lines, memory_order_relaxed);
        if (drops_untold())
            tell_drops();
        pthread_mutex_lock(&logger.lock);
        logger.writing.len = 0;
        logger.writing.lines = 0;
    }
    pthread_mutex_unlock(&logger.lock);
    return NULL;
}

int log_start(enum log_level level, int fd)
{
    atomic_store(&threshold, (int)level);
    pthread_mutex_lock(&logger.lock);
    panic_if(logger.running, "log_start twice");
    logger.fd = fd;
    logger.filling = (struct half){.bytes = xmalloc(RING_BYTES)};
    logger.writing = (struct half){.bytes = xmalloc(RING_BYTES)};
    logger.stopping = false;
    logger.reported = log_dropped();
    logger.running = pthread_create(&logger.thread, NULL, run, NULL) == 0;
    bool started = logger.running;
    pthread_mutex_unlock(&logger.lock);
    return started ? 0 : FAIL_UNAVAILABLE;
}

void log_stop(void)
{
    pthread_mutex_lock(&logger.lock);
    bool was_running = logger.running && !logger.stopping;
    logger.stopping = true;
    pthread_cond_signal(&logger.wake);
    pthread_mutex_unlock(&logger.lock);
    if (!was_running)
        return;
    pthread_join(logger.thread, NULL);
    pthread_mutex_lock(&logger.lock);
    logger.running = false;
    /* A line that came between the last write and here. */
    if (!write_all(logger.fd, logger.filling.bytes, logger.filling.len))
        atomic_fetch_add_explicit(&dropped, logger.filling.lines, memory_order_relaxed);
    free(logger.filling.bytes);
    free(logger.writing.bytes);
    logger.filling = logger.writing = (struct half){0};
    pthread_mutex_unlock(&logger.lock);
}
