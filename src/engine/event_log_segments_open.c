/* Opening the segments: what is there, whether it is whole, and what a crash left at its end. Only
 * the newest segment is read; the others are known by their index, unless that is missing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "engine/event_log_segment.h"

enum { INDEX_HEAD = 72 };
static const char index_magic[8] = "PLGIDX1";

static int refuse(const char *path, const char *what, struct error *err)
{
    return error_set(
        err, FAIL_INTERNAL, "log_damaged",
        "%s %s. Put back the folder as it was beside its database, or restore a backup", path,
        what);
}

/* --- the index beside a segment --------------------------------------------------------------- */
void log_segment_write_index(const struct log_segments *s, const struct log_segment *segment)
{
    const struct log_segment_extent *e = &segment->extent;
    char path[PATH_MAX];
    struct buf out;
    uint64_t head[8] = {0,
                        segment->first,
                        e->last,
                        e->bytes,
                        (uint64_t)e->first_at,
                        (uint64_t)e->last_at,
                        e->mark_count,
                        0};
    buf_init(&out, 16 << 20);
    buf_append(&out, index_magic, sizeof index_magic);
    buf_append(&out, head, sizeof head);
    buf_append(&out, e->marks, e->mark_count * sizeof *e->marks);
    log_segment_path(s, segment->first, "index", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && buf_ok(&out);
    if (good) {
        uint64_t check = siphash13(s->salt, out.ptr + 16, out.len - 16);
        memcpy(out.ptr + 8, &check, sizeof check);
        good = write(fd, out.ptr, out.len) == (ssize_t)out.len;
    }
    if (fd >= 0)
        close(fd);
    if (!good) /* the segment is read instead */
        unlink(path);
    buf_done(&out);
}

static bool use_index(const struct log_segments *s, struct log_segment *segment, struct slice in,
                      uint64_t file_bytes)
{
    uint64_t head[8];
    if (in.len < INDEX_HEAD || memcmp(in.ptr, index_magic, sizeof index_magic) != 0)
        return false;
    memcpy(head, in.ptr + 8, sizeof head);
    size_t marks = in.len - INDEX_HEAD;
    if (head[0] != siphash13(s->salt, in.ptr + 16, in.len - 16) || head[1] != segment->first ||
        head[3] != file_bytes || head[6] != marks / sizeof(struct log_segment_mark))
        return false;
    segment->extent = (struct log_segment_extent){.last = head[2],
                                                  .bytes = head[3],
                                                  .first_at = (int64_t)head[4],
                                                  .last_at = (int64_t)head[5],
                                                  .marks = xmalloc(marks + 1),
                                                  .mark_count = head[6],
                                                  .mark_cap = head[6]};
    memcpy(segment->extent.marks, in.ptr + INDEX_HEAD, marks);
    return true;
}

static struct slice map_file(int fd, size_t bytes)
{
    void *at = bytes != 0 ? mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    return at != MAP_FAILED ? slice_of(at, bytes) : (struct slice){0};
}

static void unmap_file(struct slice file)
{
    if (file.ptr != NULL)
        munmap((void *)(uintptr_t)file.ptr, file.len);
}

static bool read_index(const struct log_segments *s, struct log_segment *segment,
                       uint64_t file_bytes)
{
    char path[PATH_MAX];
    struct stat st;
    log_segment_path(s, segment->first, "index", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct slice in = fstat(fd, &st) == 0 ? map_file(fd, (size_t)st.st_size) : (struct slice){0};
    bool good = in.ptr != NULL && use_index(s, segment, in, file_bytes);
    unmap_file(in);
    close(fd);
    return good;
}

/* --- one segment ------------------------------------------------------------------------------ */
static int cut_off(const struct log_segment *segment, const char *path, uint64_t file_bytes,
                   struct error *err)
{
    log_warn("what a crash left at the end of the log is removed", LOG_S("file", path),
             LOG_I("bytes", file_bytes - segment->extent.bytes));
    if (ftruncate(segment->fd, (off_t)segment->extent.bytes) != 0 || fdatasync(segment->fd) != 0)
        return error_errno(err, errno, "log_damaged", "%s cannot be cut to %llu bytes", path,
                           (unsigned long long)segment->extent.bytes);
    return 0;
}

/* Only the last batch of all can have been cut off: whatever follows it was synced after it. */
static int scan(const struct log_segments *s, struct log_segment *segment, struct slice file,
                struct error *err)
{
    char path[PATH_MAX];
    bool broken, more;
    uint64_t void_at = segment->next != NULL ? segment->next->first : UINT64_MAX;
    log_segment_scan(file, s->salt, segment->first, void_at, &segment->extent, &broken, &more);
    log_segment_path(s, segment->first, "segment", path);
    if (!broken)
        return 0;
    if (more)
        return refuse(path, "is damaged", err);
    return segment->next == NULL ? cut_off(segment, path, file.len, err) : 0;
}

static int load(const struct log_segments *s, struct log_segment *segment, struct error *err)
{
    char path[PATH_MAX];
    struct stat st;
    log_segment_path(s, segment->first, "segment", path);
    if (fstat(segment->fd, &st) != 0)
        return error_errno(err, errno, "log_damaged", "%s cannot be read", path);
    if (read_index(s, segment, (uint64_t)st.st_size))
        return 0;
    struct slice file = map_file(segment->fd, (size_t)st.st_size);
    if (file.ptr == NULL)
        return error_errno(err, errno, "log_damaged", "%s cannot be read", path);
    int rc = scan(s, segment, file, err);
    unmap_file(file);
    if (rc == 0 && segment->next != NULL)
        log_segment_write_index(s, segment);
    return rc;
}

/* --- all of them ------------------------------------------------------------------------------ */
/* A crash while a segment was made: nothing can be in it. */
static bool half_made(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_size < LOG_SEGMENT_HEAD;
}

static int add_file(struct log_segments *s, uint64_t first, bool newest, struct error *err)
{
    char path[PATH_MAX], head[LOG_SEGMENT_HEAD];
    log_segment_path(s, first, "segment", path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "log_damaged", "%s cannot be opened", path);
    if (newest && half_made(fd)) {
        close(fd);
        return unlink(path) == 0
                   ? 0
                   : error_errno(err, errno, "log_damaged", "%s cannot be removed", path);
    }
    struct log_segment *segment = log_segment_new(fd, first, (struct log_segment_before){0});
    uint64_t in_head = 0;
    if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head ||
        !log_segment_get_head(head, s->salt, &in_head, &segment->before) || in_head != first) {
        log_segment_unref(segment);
        return refuse(path, "is damaged, or belongs to another database", err);
    }
    if (s->newest != NULL)
        s->newest->next = segment;
    else
        s->oldest = segment;
    s->newest = segment;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int list_files(const struct log_segments *s, uint64_t **ret_firsts, size_t *ret_count,
                      struct error *err)
{
    size_t cap = 0;
    DIR *folder = opendir(s->folder);
    if (folder == NULL)
        return errno == ENOENT
                   ? 0
                   : error_errno(err, errno, "log_damaged", "%s cannot be read", s->folder);
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        unsigned long long first;
        int end = 0;
        if (sscanf(entry->d_name, "%16llx.segment%n", &first, &end) != 1 || end == 0 ||
            entry->d_name[end] != 0)
            continue;
        if (*ret_count == cap) {
            cap = cap != 0 ? cap * 2 : 16;
            *ret_firsts = xrealloc(*ret_firsts, cap * sizeof **ret_firsts);
        }
        (*ret_firsts)[(*ret_count)++] = first;
    }
    closedir(folder);
    if (*ret_count > 1)
        qsort(*ret_firsts, *ret_count, sizeof **ret_firsts, by_number);
    return 0;
}

/* A segment names the one before it: none has been taken out of the middle. */
static int check_chain(const struct log_segments *s, const struct log_segment *segment,
                       struct error *err)
{
    char path[PATH_MAX];
    const struct log_segment *next = segment->next;
    if (next == NULL || next->before.first == segment->first)
        return 0;
    log_segment_path(s, next->before.first, "segment", path);
    return refuse(path, "is missing", err);
}

/* ... and how far it went: its last batch is there too. */
static int check_last(const struct log_segments *s, const struct log_segment *segment,
                      struct error *err)
{
    char path[PATH_MAX];
    const struct log_segment *next = segment->next;
    if (next == NULL || next->before.last == segment->extent.last)
        return 0;
    log_segment_path(s, segment->first, "segment", path);
    return refuse(path, "is damaged", err);
}

int log_segments_open(struct log_segments *s, const struct log_segments_config *config,
                      struct error *err)
{
    uint64_t *firsts = NULL;
    size_t count = 0;
    log_segments_init(s, config);
    int rc = list_files(s, &firsts, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_file(s, firsts[i], i + 1 == count, err);
    free(firsts);
    for (struct log_segment *segment = s->oldest; rc == 0 && segment != NULL;
         segment = segment->next) {
        rc = check_chain(s, segment, err);
        if (rc == 0)
            rc = load(s, segment, err);
        if (rc == 0)
            rc = check_last(s, segment, err);
    }
    if (rc == 0 && log_segments_last(s) < config->must_reach)
        rc = refuse(s->folder, "is missing, or older than its database", err);
    return rc;
}
