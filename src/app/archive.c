#include "app/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512, COPY_BYTES = 1 << 20, PATH_BYTES = 4096 };

/* Field offsets and lengths of a ustar header block. */
enum {
    AT_NAME = 0,
    LEN_NAME = 100,
    AT_MODE = 100,
    AT_UID = 108,
    AT_GID = 116,
    AT_SIZE = 124,
    AT_TIME = 136,
    AT_SUM = 148,
    LEN_SUM = 8,
    AT_TYPE = 156,
    AT_MAGIC = 257,
};

static unsigned checksum(const unsigned char *block)
{
    unsigned sum = 0;
    for (int i = 0; i < BLOCK; i++)
        sum += i >= AT_SUM && i < AT_SUM + LEN_SUM ? ' ' : block[i];
    return sum;
}

/* Sizes of 8 GiB and more take the base-256 form that every tar of today reads. */
static void put_size(char *block, uint64_t size)
{
    if (size < 1ULL << 33) {
        snprintf(block + AT_SIZE, 12, "%011llo", (unsigned long long)size);
        return;
    }
    block[AT_SIZE] = (char)0x80;
    for (int i = 0; i < 8; i++)
        block[AT_SIZE + 4 + i] = (char)(size >> (56 - 8 * i));
}

static uint64_t get_size(const unsigned char *block)
{
    uint64_t size = 0;
    if (block[AT_SIZE] == 0x80) {
        for (int i = 4; i < 12; i++)
            size = size << 8 | block[AT_SIZE + i];
        return size;
    }
    for (int i = 0; i < 11 && block[AT_SIZE + i] >= '0' && block[AT_SIZE + i] <= '7'; i++)
        size = size << 3 | (uint64_t)(block[AT_SIZE + i] - '0');
    return size;
}

static void make_header(char block[BLOCK], const char *name, uint64_t size)
{
    memset(block, 0, BLOCK);
    snprintf(block + AT_NAME, LEN_NAME, "%s", name);
    snprintf(block + AT_MODE, 8, "%07o", 0600u);
    snprintf(block + AT_UID, 8, "%07o", 0u);
    snprintf(block + AT_GID, 8, "%07o", 0u);
    put_size(block, size);
    snprintf(block + AT_TIME, 12, "%011llo", 0ULL);
    block[AT_TYPE] = '0';
    memcpy(block + AT_MAGIC, "ustar\00000", 8);
    snprintf(block + AT_SUM, LEN_SUM, "%06o", checksum((unsigned char *)block));
    block[AT_SUM + 7] = ' ';
}

static int write_all(int fd, const char *bytes, size_t len, struct error *err)
{
    while (len > 0) {
        ssize_t done = write(fd, bytes, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_errno(err, errno, "archive", "Writing failed");
        bytes += done;
        len -= (size_t)done;
    }
    return 0;
}

/* Copies `size` bytes; a source that is shorter is an error. */
static int copy(int from, int to, uint64_t size, struct error *err)
{
    char *bytes = xmalloc(COPY_BYTES);
    int rc = 0;
    while (size > 0 && rc == 0) {
        ssize_t got = read(from, bytes, size < COPY_BYTES ? (size_t)size : COPY_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            rc = error_set(err, FAIL_INVALID, "archive", "The file is cut short.");
        else
            rc = write_all(to, bytes, (size_t)got, err);
        size -= got > 0 ? (uint64_t)got : 0;
    }
    free(bytes);
    return rc;
}

static int pad(int fd, uint64_t size, struct error *err)
{
    static const char zeroes[BLOCK];
    size_t rest = (size_t)(size % BLOCK);
    return rest != 0 ? write_all(fd, zeroes, BLOCK - rest, err) : 0;
}

static int add_file(int to, const char *dir, const char *name, struct error *err)
{
    char path[PATH_BYTES], block[BLOCK];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0 || fstat(from, &st) < 0) {
        int rc = error_errno(err, errno, "archive", "%s cannot be read", path);
        if (from >= 0)
            close(from);
        return rc;
    }
    make_header(block, name, (uint64_t)st.st_size);
    int rc = write_all(to, block, BLOCK, err);
    if (rc == 0)
        rc = copy(from, to, (uint64_t)st.st_size, err);
    if (rc == 0)
        rc = pad(to, (uint64_t)st.st_size, err);
    close(from);
    return rc;
}

static int exists(const char *path, const char *what, struct error *err)
{
    return error_set(err, FAIL_CONFLICT, "backup_exists", "%s exists already: %s.", path, what);
}

static int sync_folder_of(const char *path, struct error *err)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path);
    int fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 ? fsync(fd) : -1;
    if (rc < 0)
        rc = error_errno(err, errno, "archive", "The folder of %s cannot be synced", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* Never over another file. A file system without this kind of rename (EINVAL) has links. */
static int put_in_place(const char *part, const char *path, struct error *err)
{
    int rc = renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE);
    if (rc < 0 && (errno == EINVAL || errno == ENOSYS)) {
        rc = link(part, path);
        if (rc == 0)
            unlink(part);
    }
    if (rc < 0 && errno == EEXIST)
        return exists(path, ARCHIVE_NAME_ANOTHER, err);
    if (rc < 0)
        return error_errno(err, errno, "archive", "%s cannot be put in place", path);
    return sync_folder_of(path, err);
}

int archive_write(const char *path, const char *dir, const char *const *names, size_t count,
                  struct error *err)
{
    static const char end[2 * BLOCK];
    char part[PATH_BYTES];
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return error_set(err, FAIL_INVALID, "archive", "The path is too long.");
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return exists(part, "remove it, unless another backup is being written there", err);
    if (fd < 0)
        return error_errno(err, errno, "archive", "%s cannot be written", part);
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_file(fd, dir, names[i], err);
    if (rc == 0)
        rc = write_all(fd, end, sizeof end, err);
    if (rc == 0 && fsync(fd) < 0)
        rc = error_errno(err, errno, "archive", "%s cannot be synced", part);
    close(fd);
    if (rc == 0)
        rc = put_in_place(part, path, err);
    if (rc < 0)
        unlink(part);
    return rc;
}

static int read_block(int fd, unsigned char block[BLOCK], struct error *err)
{
    size_t have = 0;
    while (have < BLOCK) {
        ssize_t got = read(fd, block + have, BLOCK - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_set(err, FAIL_INVALID, "archive", "The backup is cut short.");
        have += (size_t)got;
    }
    return 0;
}

static int unpack(int fd, const char *dir, const char *name, uint64_t size, struct error *err)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return error_errno(err, errno, "archive", "%s cannot be made", path);
    int rc = copy(fd, to, size, err);
    if (rc == 0 && fsync(to) < 0)
        rc = error_errno(err, errno, "archive", "%s cannot be synced", path);
    close(to);
    if (rc == 0 && size % BLOCK != 0 && lseek(fd, (off_t)(BLOCK - size % BLOCK), SEEK_CUR) < 0)
        rc = error_errno(err, errno, "archive", "The backup cannot be read");
    return rc;
}

/* 1: *ret_name is the entry that follows; 0: the end. */
static int next_entry(int fd, unsigned char block[BLOCK], char ret_name[LEN_NAME + 1],
                      struct error *err)
{
    char sum[LEN_SUM];
    int rc = read_block(fd, block, err);
    if (rc < 0)
        return rc;
    snprintf(sum, sizeof sum, "%06o", checksum(block));
    if (block[AT_NAME] == 0 && block[AT_MAGIC] == 0)
        return 0;
    if (memcmp(block + AT_MAGIC, "ustar", 5) != 0 || memcmp(sum, block + AT_SUM, 6) != 0)
        return error_set(err, FAIL_INVALID, "archive", "This is no backup made by parley backup.");
    memcpy(ret_name, block + AT_NAME, LEN_NAME);
    ret_name[LEN_NAME] = 0;
    return 1;
}

static int read_named(int fd, const char *dir, const char *want, struct error *err)
{
    unsigned char block[BLOCK];
    char name[LEN_NAME + 1];
    int rc = next_entry(fd, block, name, err);
    if (rc == 0 || (rc > 0 && strcmp(name, want) != 0))
        return error_set(err, FAIL_INVALID, "archive",
                         "This is no backup made by parley backup: %s is missing.", want);
    return rc < 0 ? rc : unpack(fd, dir, want, get_size(block), err);
}

static int read_more(int fd, const char *dir, bool (*more)(const char *name), struct error *err)
{
    unsigned char block[BLOCK];
    char name[LEN_NAME + 1];
    int rc;
    while ((rc = next_entry(fd, block, name, err)) > 0) {
        rc = more(name) ? unpack(fd, dir, name, get_size(block), err)
                        : error_set(err, FAIL_INVALID, "archive",
                                    "This is no backup made by parley backup: it has %s.", name);
        if (rc < 0)
            return rc;
    }
    return rc;
}

int archive_read(const char *path, const char *dir, const char *const *names, size_t count,
                 bool (*more)(const char *name), struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "archive", "%s cannot be read", path);
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = read_named(fd, dir, names[i], err);
    if (rc == 0)
        rc = read_more(fd, dir, more, err);
    close(fd);
    return rc;
}
