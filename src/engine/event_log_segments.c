/* The folder of segments: appending, rolling over to a new one, undoing, retention. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "engine/db_outside.h"
#include "engine/event_log_segment.h"

enum { CACHED_MAX = 2 };              /* full segments that stay in the page cache */
enum { BATCH_BYTES_MAX = 256 << 20 }; /* LOG_COMMIT_BYTES_MAX and a head for each event fit */

/* --- segments --------------------------------------------------------------------------------- */
void log_segment_path(const struct log_segments *s, uint64_t first, const char *kind,
                      char ret_path[PATH_MAX])
{
    snprintf(ret_path, PATH_MAX, "%s/%016llx.%s", s->folder, (unsigned long long)first, kind);
}

struct log_segment *log_segment_new(int fd, uint64_t first, struct log_segment_before before)
{
    struct log_segment *segment = xcalloc(1, sizeof *segment);
    atomic_init(&segment->refs, 1);
    segment->fd = fd;
    segment->first = first;
    segment->before = before;
    segment->extent = (struct log_segment_extent){.last = first - 1, .bytes = LOG_SEGMENT_HEAD};
    return segment;
}

void log_segment_unref(struct log_segment *segment)
{
    if (segment == NULL || atomic_fetch_sub_explicit(&segment->refs, 1, memory_order_acq_rel) != 1)
        return;
    close(segment->fd);
    free(segment->extent.marks);
    free(segment);
}

/* --- the folder ------------------------------------------------------------------------------- */
void log_segments_init(struct log_segments *s, const struct log_segments_config *config)
{
    size_t size = strlen(config->database) + sizeof ".log";
    *s = (struct log_segments){.folder = xmalloc(size),
                               .sync = config->sync,
                               .segment_bytes = config->segment_bytes != 0 ? config->segment_bytes
                                                                           : LOG_SEGMENT_BYTES};
    snprintf(s->folder, size, "%s.log", config->database);
    memcpy(s->salt, config->salt, sizeof s->salt);
    pthread_mutex_init(&s->lock, NULL);
    buf_init(&s->batch, BATCH_BYTES_MAX);
}

/* What a failed commit left behind what counts. */
static bool cut_leftover(const struct log_segments *s)
{
    return ftruncate(s->newest->fd, (off_t)s->newest->extent.bytes) == 0 &&
           fdatasync(s->newest->fd) == 0;
}

void log_segments_close(struct log_segments *s)
{
    if (s->folder == NULL)
        return;
    if (s->leftover && cut_leftover(s))
        s->leftover = false;
    if (s->newest != NULL && !s->leftover && s->newest->extent.mark_count != 0)
        log_segment_write_index(s, s->newest); /* the next start need not read it */
    struct log_segment *next;
    for (struct log_segment *segment = s->oldest; segment != NULL; segment = next) {
        next = segment->next;
        log_segment_unref(segment);
    }
    buf_done(&s->batch);
    free(s->batch_extent.marks);
    pthread_mutex_destroy(&s->lock);
    free(s->folder);
    s->folder = NULL;
}

static int make_folder(const struct log_segments *s, struct error *err)
{
    char parent[PATH_MAX];
    if (mkdir(s->folder, 0700) != 0)
        return errno == EEXIST ? 0
                               : error_errno(err, errno, "log_write", "cannot make %s", s->folder);
    snprintf(parent, sizeof parent, "%s", s->folder);
    return db_sync_path(dirname(parent), "log_write", err);
}

/* A new segment, durable, with nothing in it. */
static int make_segment(const struct log_segments *s, uint64_t first, struct log_segment **ret,
                        struct error *err)
{
    char path[PATH_MAX], head[LOG_SEGMENT_HEAD];
    struct log_segment_before before = {0};
    if (s->newest != NULL)
        before = (struct log_segment_before){s->newest->first, s->newest->extent.last};
    log_segment_path(s, first, "segment", path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, errno, "log_write", "cannot make %s", path);
    log_segment_put_head(head, s->salt, first, before);
    int rc = 0;
    if (pwrite(fd, head, sizeof head, 0) != (ssize_t)sizeof head || fdatasync(fd) != 0)
        rc = error_errno(err, errno, "log_write", "cannot write %s", path);
    if (rc == 0)
        rc = db_sync_path(s->folder, "log_write", err);
    if (rc != 0) {
        close(fd);
        unlink(path);
        return rc;
    }
    *ret = log_segment_new(fd, first, before);
    return 0;
}

/* Who comes back late reads them from the disk. Their pages serve the next segments, instead of
 * others that would have to be taken from the database, or from the host of a virtual machine. */
static void let_old_pages_go(struct log_segments *s)
{
    unsigned count = 0;
    for (const struct log_segment *segment = s->oldest; segment != NULL; segment = segment->next)
        count++;
    const struct log_segment *segment = s->oldest;
    for (; count > CACHED_MAX + 2; count--)
        segment = segment->next;
    if (count == CACHED_MAX + 2)
        posix_fadvise(segment->fd, 0, 0, POSIX_FADV_DONTNEED);
}

/* The segment before is whole on the disk from here on, whether or not commits are synced: the new
 * one names its last position. */
static int roll(struct log_segments *s, uint64_t first, struct error *err)
{
    struct log_segment *segment = NULL;
    int rc = s->newest == NULL ? make_folder(s, err) : log_segments_flush(s, err);
    if (rc == 0)
        rc = make_segment(s, first, &segment, err);
    if (rc != 0)
        return rc;
    if (s->newest != NULL)
        log_segment_write_index(s, s->newest);
    pthread_mutex_lock(&s->lock);
    if (s->newest != NULL)
        s->newest->next = segment;
    else
        s->oldest = segment;
    s->newest = segment;
    pthread_mutex_unlock(&s->lock);
    s->leftover = false;
    let_old_pages_go(s);
    return 0;
}

/* --- appending -------------------------------------------------------------------------------- */
/* What was left is cut off; where that cannot be done, a new segment makes it void. */
int log_segments_ready(struct log_segments *s, uint64_t head, struct error *err)
{
    buf_clear(&s->batch);
    s->batch_events = 0;
    if (!s->leftover)
        return 0;
    struct log_segment *newest = s->newest;
    if (cut_leftover(s)) {
        s->leftover = false;
        return 0;
    }
    if (newest->extent.last < newest->first)
        return error_errno(err, errno, "log_write", "cannot cut the newest file of %s", s->folder);
    return roll(s, head + 1, err);
}

static void mark_when_due(struct log_segments *s, uint64_t pos, uint64_t offset)
{
    if (offset < s->batch_mark_due)
        return;
    log_extent_mark(&s->batch_extent, pos, offset);
    s->batch_mark_due = offset + LOG_SEGMENT_MARK;
}

/* Room for the head, and a segment that is not full yet. */
static int begin_batch(struct log_segments *s, uint64_t first, struct error *err)
{
    static const char room[LOG_BATCH_HEAD];
    if (s->newest == NULL || s->newest->extent.bytes >= s->segment_bytes) {
        int rc = roll(s, first, err);
        if (rc != 0)
            return rc;
    }
    const struct log_segment_extent *e = &s->newest->extent;
    s->batch_first = first;
    s->batch_extent.mark_count = 0;
    s->batch_extent.first_at = e->first_at;
    s->batch_mark_due =
        e->mark_count != 0 ? e->marks[e->mark_count - 1].offset + LOG_SEGMENT_MARK : 0;
    mark_when_due(s, first, e->bytes);
    buf_append(&s->batch, room, sizeof room);
    return 0;
}

int log_segments_add(struct log_segments *s, const struct log_row *row, struct error *err)
{
    int rc = s->batch_events == 0 ? begin_batch(s, row->pos, err) : 0;
    if (rc != 0)
        return rc;
    struct log_segment_extent *e = &s->batch_extent;
    if (s->batch_events++ != 0)
        mark_when_due(s, row->pos, s->newest->extent.bytes + s->batch.len);
    if (e->first_at == 0)
        e->first_at = row->at_ms;
    e->last_at = row->at_ms;
    e->last = row->pos;
    log_segment_put_record(&s->batch, row);
    return buf_ok(&s->batch)
               ? 0
               : error_set(err, FAIL_UNAVAILABLE, "busy", "too much data in one commit");
}

static int write_batch(struct log_segments *s, struct error *err)
{
    const struct log_segment *newest = s->newest;
    struct slice rest = buf_view(&s->batch);
    uint64_t at = newest->extent.bytes;
    while (rest.len > 0) {
        ssize_t written = pwrite(newest->fd, rest.ptr, rest.len, (off_t)at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return error_errno(err, written < 0 ? errno : EIO, "log_write",
                               "cannot append to a file of %s", s->folder);
        rest = slice_of(rest.ptr + written, rest.len - (size_t)written);
        at += (uint64_t)written;
    }
    if (!s->sync)
        s->unsynced = true;
    else if (fdatasync(newest->fd) != 0)
        return error_errno(err, errno, "log_write", "cannot sync a file of %s", s->folder);
    return 0;
}

int log_segments_append(struct log_segments *s, struct error *err)
{
    if (s->batch_events == 0)
        return 0;
    if (fault("log.append"))
        return error_set(err, FAIL_STORAGE_FULL, "storage_full", "fault point log.append");
    log_segment_seal_batch(&s->batch, s->salt, s->batch_first, s->batch_events);
    s->appended = s->leftover = true;
    return write_batch(s, err);
}

/* Readers may see the batch from here on. */
static void publish(struct log_segments *s)
{
    struct log_segment_extent *e = &s->newest->extent;
    const struct log_segment_extent *more = &s->batch_extent;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < more->mark_count; i++)
        log_extent_mark(e, more->marks[i].pos, more->marks[i].offset);
    e->first_at = more->first_at;
    e->last_at = more->last_at;
    e->last = more->last;
    e->bytes += s->batch.len;
    pthread_mutex_unlock(&s->lock);
    s->leftover = false;
}

void log_segments_end(struct log_segments *s, bool committed)
{
    if (s->appended && committed)
        publish(s);
    s->appended = false;
    s->batch_events = 0;
    buf_clear(&s->batch);
}

int log_segments_flush(struct log_segments *s, struct error *err)
{
    if (!s->unsynced)
        return 0;
    if (fdatasync(s->newest->fd) != 0)
        return error_errno(err, errno, "log_write", "cannot sync a file of %s", s->folder);
    s->unsynced = false;
    return 0;
}

/* --- retention -------------------------------------------------------------------------------- */
void log_segments_seal(struct log_segments *s, int64_t at_ms)
{
    struct error err;
    error_init(&err);
    const struct log_segment *newest = s->newest;
    if (newest == NULL || s->leftover || newest->extent.last < newest->first ||
        newest->extent.first_at >= at_ms)
        return;
    (void)(roll(s, newest->extent.last + 1, &err) == 0); /* else later */
}

uint64_t log_segments_old(struct log_segments *s, int64_t at_ms, uint64_t many, uint64_t limit)
{
    const struct log_segment *oldest = s->oldest;
    if (oldest == NULL || oldest->next == NULL)
        return 0;
    const struct log_segment_extent *e = &oldest->extent;
    return e->last <= limit && (e->last_at < at_ms || e->last <= many) ? e->last : 0;
}

void log_segments_drop(struct log_segments *s, uint64_t last)
{
    char path[PATH_MAX];
    while (s->oldest != NULL && s->oldest->next != NULL && s->oldest->extent.last <= last) {
        struct log_segment *oldest = s->oldest;
        pthread_mutex_lock(&s->lock);
        s->oldest = oldest->next;
        pthread_mutex_unlock(&s->lock);
        log_segment_path(s, oldest->first, "segment", path);
        unlink(path);
        log_segment_path(s, oldest->first, "index", path);
        unlink(path);
        log_segment_unref(oldest);
    }
}

/* --- questions -------------------------------------------------------------------------------- */
uint64_t log_segments_last(struct log_segments *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t last = s->newest != NULL ? s->newest->extent.last : 0;
    pthread_mutex_unlock(&s->lock);
    return last;
}

/* The newest may be empty: then the one before it was sealed. */
int64_t log_segments_last_at(struct log_segments *s)
{
    int64_t last_at = 0;
    pthread_mutex_lock(&s->lock);
    for (const struct log_segment *segment = s->oldest; segment != NULL; segment = segment->next)
        if (segment->extent.last_at > last_at)
            last_at = segment->extent.last_at;
    pthread_mutex_unlock(&s->lock);
    return last_at;
}

uint64_t log_segments_begin(struct log_segments *s)
{
    pthread_mutex_lock(&s->lock);
    bool dropped = s->oldest != NULL && s->oldest->before.first != 0;
    uint64_t begin = dropped ? s->oldest->first : 0;
    pthread_mutex_unlock(&s->lock);
    return begin;
}

struct log_segments_size log_segments_size(struct log_segments *s)
{
    struct log_segments_size size = {0};
    pthread_mutex_lock(&s->lock);
    for (const struct log_segment *segment = s->oldest; segment != NULL; segment = segment->next) {
        size.files++;
        size.bytes += segment->extent.bytes;
    }
    pthread_mutex_unlock(&s->lock);
    return size;
}
