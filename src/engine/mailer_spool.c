/* The spool: each message is a file, for developers to read and for tests to find.
 *
 * A file is written under a name that begins with a dot, synced, and renamed: whoever lists the
 * folder never sees half a message. Names begin with the time, so their order is that of sending,
 * and the oldest are the first to go. All work is done on the pool, one message at a time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/id.h"
#include "base/metric.h"
#include "engine/mailer.h"

enum {
    NAME_BYTES = 80,
    FILE_BYTES_MAX = 4 * MAILER_TEXT_MAX,
    SWEEP_EVERY = 16, /* messages; so many files there may be too many for a moment */
    WAIT_MS = 20000
};

struct spool {
    struct mailer mailer;
    const struct clock *clock;
    struct offload *pool;
    char *folder, *from;
    unsigned files_max;
    int64_t age_max_ms;
    pthread_mutex_t lock; /* files and since_sweep */
    unsigned since_sweep;
    struct metric *removed;
};

/* Lives on the caller's stack. */
struct sending {
    struct spool *spool;
    const struct mailer_message *message;
    int rc;
    struct error error;
};

/* --- old files ---------------------------------------------------------------------------------
 */

/* "20261121T114500.123Z-<id>.eml": 20 characters of time. */
static void write_name(int64_t wall_ms, const struct id *id, const char *end, char *ret_name)
{
    char time[TIME_TEXT_LEN + 1], id_text[ID_TEXT_LEN + 1], compact[TIME_TEXT_LEN + 1];
    size_t len = 0;
    time_format(wall_ms, time);
    for (size_t i = 0; time[i] != 0; i++)
        if (time[i] != '-' && time[i] != ':')
            compact[len++] = time[i];
    compact[len] = 0;
    id_format(id, id_text);
    snprintf(ret_name, NAME_BYTES, "%s-%s%s", compact, id_text, end);
}

static int is_message(const struct dirent *entry)
{
    struct slice name = slice_str(entry->d_name);
    return name.len > 24 && name.ptr[0] != '.' && name.ptr[19] == 'Z' &&
           (slice_eq(slice_of(name.ptr + name.len - 4, 4), SLICE(".eml")) ||
            slice_eq(slice_of(name.ptr + name.len - 4, 4), SLICE(".txt")));
}

static void sweep(struct spool *s)
{
    struct dirent **names = NULL;
    char oldest[NAME_BYTES];
    static const struct id none;
    int count = scandir(s->folder, &names, is_message, alphasort);
    int dir = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int beyond = count > (int)s->files_max ? count - (int)s->files_max : 0;
    write_name(clock_wall_ms(s->clock) - s->age_max_ms, &none, "", oldest);
    for (int i = 0; i < count; i++) {
        bool old = s->age_max_ms > 0 && strcmp(names[i]->d_name, oldest) < 0;
        if (dir >= 0 && (i < beyond || old) && unlinkat(dir, names[i]->d_name, 0) == 0)
            metric_add(s->removed, 1);
        free(names[i]);
    }
    free(names);
    if (dir >= 0)
        close(dir);
}

/* --- a message ---------------------------------------------------------------------------------
 */

static void write_sms(const struct mailer_message *m, int64_t wall_ms, struct buf *out)
{
    char time[TIME_TEXT_LEN + 1];
    time_format(wall_ms, time);
    buf_printf(out, "To: %.*s\nDate: %s\n\n%.*s\n", SLICE_FMT(m->to), time, SLICE_FMT(m->text));
}

static int write_all(int fd, struct slice bytes, const char *name, struct error *err)
{
    while (bytes.len > 0) {
        ssize_t done = write(fd, bytes.ptr, bytes.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_errno(err, errno, "spool", "%s cannot be written", name);
        bytes = slice_of(bytes.ptr + done, bytes.len - (size_t)done);
    }
    return fsync(fd) == 0 ? 0 : error_errno(err, errno, "spool", "%s cannot be synced", name);
}

static int write_file(int dir, const char *name, struct slice bytes, struct error *err)
{
    char hidden[NAME_BYTES + 1];
    snprintf(hidden, sizeof hidden, ".%s", name);
    int fd = openat(dir, hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, errno, "spool", "%s cannot be made", hidden);
    int rc = write_all(fd, bytes, hidden, err);
    close(fd);
    if (rc == 0 && (renameat(dir, hidden, dir, name) < 0 || fsync(dir) < 0))
        rc = error_errno(err, errno, "spool", "%s cannot be put in its place", name);
    if (rc < 0)
        (void)unlinkat(dir, hidden, 0);
    return rc;
}

static int put(struct spool *s, const struct mailer_message *m, struct error *err)
{
    struct buf text;
    char name[NAME_BYTES], id_text[ID_TEXT_LEN + 1];
    struct id id = id_new(s->clock);
    int64_t now_ms = clock_wall_ms(s->clock);
    id_format(&id, id_text);
    buf_init(&text, FILE_BYTES_MAX);
    if (m->channel == MAILER_EMAIL)
        mailer_write_email(m, slice_str(s->from), slice_str(id_text), now_ms, &text);
    else
        write_sms(m, now_ms, &text);
    write_name(now_ms, &id, m->channel == MAILER_EMAIL ? ".eml" : ".txt", name);
    int dir = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;
    if (dir < 0)
        rc = error_errno(err, errno, "spool", "The folder %s cannot be opened", s->folder);
    else if (!buf_ok(&text))
        rc = error_set(err, FAIL_INVALID, "invalid_message", "The message does not fit.");
    else
        rc = write_file(dir, name, buf_view(&text), err);
    if (dir >= 0)
        close(dir);
    buf_done(&text);
    return rc;
}

static void work(void *arg)
{
    struct sending *sending = arg;
    struct spool *s = sending->spool;
    pthread_mutex_lock(&s->lock);
    sending->rc = put(s, sending->message, &sending->error);
    if (sending->rc == 0 && ++s->since_sweep >= SWEEP_EVERY) {
        s->since_sweep = 0;
        sweep(s);
    }
    pthread_mutex_unlock(&s->lock);
}

static int spool_send(struct mailer *mailer, const struct mailer_message *message,
                      struct error *err)
{
    struct sending sending = {.spool = CONTAINER_OF(mailer, struct spool, mailer),
                              .message = message};
    int rc = mailer_check(message, err);
    if (rc < 0)
        return rc;
    error_init(&sending.error);
    if (sending.spool->pool == NULL || coro_current() == NULL)
        work(&sending);
    else
        rc = offload_run(sending.spool->pool, work, &sending, WAIT_MS, err);
    if (rc == 0 && sending.rc < 0)
        rc = error_set(err, (enum fail)sending.rc, sending.error.code, "%s", sending.error.detail);
    return rc;
}

static void spool_close(struct mailer *mailer)
{
    struct spool *s = CONTAINER_OF(mailer, struct spool, mailer);
    pthread_mutex_destroy(&s->lock);
    free(s->folder);
    free(s->from);
    free(s);
}

static const struct mailer_ops spool_ops = {spool_send, spool_close};

int mailer_spool_open(const struct mailer_spool_config *config, struct mailer **ret_mailer,
                      struct error *err)
{
    if (mkdir(config->folder, 0700) < 0 && errno != EEXIST)
        return error_errno(err, errno, "spool", "The folder %s cannot be made", config->folder);
    struct spool *s = xcalloc(1, sizeof *s);
    *s = (struct spool){.mailer.ops = &spool_ops,
                        .clock = config->clock,
                        .pool = config->pool,
                        .folder = xstrndup(config->folder, strlen(config->folder)),
                        .from = xstrndup(config->from.ptr, config->from.len),
                        .files_max = config->files_max > 0 ? config->files_max : 1,
                        .age_max_ms = config->age_max_ms};
    pthread_mutex_init(&s->lock, NULL);
    s->removed = metric_register(METRIC_COUNTER, "parley_mailer_spool_removed_total",
                                 "Messages taken out of the spool because they were too many or "
                                 "too old.",
                                 NULL);
    sweep(s);
    *ret_mailer = &s->mailer;
    return 0;
}
