#include "app/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

enum { BLOCK = 512, COPY_BYTES = 1 << 20, PATH_BYTES = 4096, SUMS_MAX = 64 << 10 };

static const char sums_name[] = "SHA256SUMS";

/* What is being packed or unpacked. */
struct archive {
    int fd;
    char *bytes; /* COPY_BYTES on their way */
    EVP_MD_CTX *hash;
    struct buf sums;          /* of the entries so far, a line each, as sha256sum writes them */
    const _Atomic bool *stop; /* somebody wants it no more; NULL: nobody can say so */
};

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

static void archive_init(struct archive *a, int fd)
{
    *a = (struct archive){.fd = fd, .bytes = xmalloc(COPY_BYTES), .hash = EVP_MD_CTX_new()};
    panic_if(a->hash == NULL, "no memory for a digest");
    buf_init(&a->sums, SUMS_MAX);
}

static void archive_done(struct archive *a)
{
    close(a->fd);
    free(a->bytes);
    EVP_MD_CTX_free(a->hash);
    buf_done(&a->sums);
}

static void add_sum(struct archive *a, const char *name)
{
    unsigned char digest[32];
    panic_if(EVP_DigestFinal_ex(a->hash, digest, NULL) != 1, "SHA-256 failed");
    for (size_t i = 0; i < sizeof digest; i++)
        buf_printf(&a->sums, "%02x", digest[i]);
    buf_printf(&a->sums, "  %s\n", name);
}

static int check_wanted(const struct archive *a, struct error *err)
{
    if (a->stop == NULL || !atomic_load(a->stop))
        return 0;
    return error_set(err, FAIL_CANCELLED, "backup_cancelled", "The backup was cancelled.");
}

/* The content of the entry `name`, `size` bytes; a source that is shorter is an error. */
static int copy(struct archive *a, const char *name, int from, int to, uint64_t size,
                struct error *err)
{
    int rc = 0;
    panic_if(EVP_DigestInit_ex(a->hash, EVP_sha256(), NULL) != 1, "SHA-256 is missing");
    while (size > 0 && rc == 0) {
        ssize_t got = read(from, a->bytes, size < COPY_BYTES ? (size_t)size : COPY_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_set(err, FAIL_INVALID, "archive", "The file is cut short.");
        panic_if(EVP_DigestUpdate(a->hash, a->bytes, (size_t)got) != 1, "SHA-256 failed");
        rc = write_all(to, a->bytes, (size_t)got, err);
        if (rc == 0)
            rc = check_wanted(a, err);
        size -= (uint64_t)got;
    }
    if (rc == 0)
        add_sum(a, name);
    return rc;
}

static int pad(int fd, uint64_t size, struct error *err)
{
    static const char zeroes[BLOCK];
    size_t rest = (size_t)(size % BLOCK);
    return rest != 0 ? write_all(fd, zeroes, BLOCK - rest, err) : 0;
}

static int add_file(struct archive *a, const char *dir, const char *name, struct error *err)
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
    int rc = write_all(a->fd, block, BLOCK, err);
    if (rc == 0)
        rc = copy(a, name, from, a->fd, (uint64_t)st.st_size, err);
    if (rc == 0)
        rc = pad(a->fd, (uint64_t)st.st_size, err);
    close(from);
    return rc;
}

static int add_sums(struct archive *a, struct error *err)
{
    char block[BLOCK];
    panic_if(!buf_ok(&a->sums), "too many files for an archive");
    make_header(block, sums_name, a->sums.len);
    int rc = write_all(a->fd, block, BLOCK, err);
    if (rc == 0)
        rc = write_all(a->fd, a->sums.ptr, a->sums.len, err);
    return rc < 0 ? rc : pad(a->fd, a->sums.len, err);
}

static int exists(const char *path, const char *what, struct error *err)
{
    return error_set(err, FAIL_CONFLICT, "backup_exists", "%s exists already: %s.", path, what);
}

int archive_sync_folder(const char *dir, struct error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 ? fsync(fd) : -1;
    if (rc < 0)
        rc = error_errno(err, errno, "archive", "%s cannot be synced", dir);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int sync_folder_of(const char *path, struct error *err)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path);
    return archive_sync_folder(dirname(folder), err);
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
                  const _Atomic bool *stop, struct error *err)
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
    struct archive a;
    int rc = 0;
    archive_init(&a, fd);
    a.stop = stop;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_file(&a, dir, names[i], err);
    if (rc == 0)
        rc = add_sums(&a, err);
    if (rc == 0)
        rc = write_all(fd, end, sizeof end, err);
    if (rc == 0 && fsync(fd) < 0)
        rc = error_errno(err, errno, "archive", "%s cannot be synced", part);
    archive_done(&a);
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

static int skip_pad(struct archive *a, uint64_t size, struct error *err)
{
    if (size % BLOCK != 0 && lseek(a->fd, (off_t)(BLOCK - size % BLOCK), SEEK_CUR) < 0)
        return error_errno(err, errno, "archive", "The backup cannot be read");
    return 0;
}

static int unpack(struct archive *a, const char *dir, const char *name, uint64_t size,
                  struct error *err)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return error_errno(err, errno, "archive", "%s cannot be made", path);
    int rc = copy(a, name, a->fd, to, size, err);
    if (rc == 0 && fsync(to) < 0)
        rc = error_errno(err, errno, "archive", "%s cannot be synced", path);
    close(to);
    return rc < 0 ? rc : skip_pad(a, size, err);
}

/* Zeroes from here to the end of the file, so that no entry hides behind a block that was lost. */
static int check_end(int fd, const unsigned char *block, struct error *err)
{
    unsigned char bytes[BLOCK];
    ssize_t got = BLOCK;
    memcpy(bytes, block, BLOCK);
    while (got > 0) {
        for (ssize_t i = 0; i < got; i++)
            if (bytes[i] != 0)
                return error_set(err, FAIL_INVALID, "backup_damaged",
                                 "The backup is damaged: something follows its end. Take another "
                                 "backup.");
        do
            got = read(fd, bytes, sizeof bytes);
        while (got < 0 && errno == EINTR);
    }
    return got < 0 ? error_errno(err, errno, "archive", "The backup cannot be read") : 0;
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
        return check_end(fd, block, err);
    if (memcmp(block + AT_MAGIC, "ustar", 5) != 0 || memcmp(sum, block + AT_SUM, 6) != 0)
        return error_set(err, FAIL_INVALID, "archive", "This is no backup made by parley backup.");
    memcpy(ret_name, block + AT_NAME, LEN_NAME);
    ret_name[LEN_NAME] = 0;
    return 1;
}

static int read_named(struct archive *a, const char *dir, const char *want, struct error *err)
{
    unsigned char block[BLOCK];
    char name[LEN_NAME + 1];
    int rc = next_entry(a->fd, block, name, err);
    if (rc == 0 || (rc > 0 && strcmp(name, want) != 0))
        return error_set(err, FAIL_INVALID, "archive",
                         "This is no backup made by parley backup: %s is missing.", want);
    return rc < 0 ? rc : unpack(a, dir, want, get_size(block), err);
}

/* `text` is what stands in the archive, a->sums what has been unpacked. */
static int compare_sums(const struct archive *a, struct slice text, struct error *err)
{
    struct slice rest = buf_view(&a->sums), line;
    if (slice_eq(rest, text))
        return 0;
    while (slice_cut(&rest, '\n', &line))
        if (memmem(text.ptr, text.len, line.ptr, line.len) == NULL)
            return error_set(err, FAIL_INVALID, "backup_damaged",
                             "The backup is damaged: of %.*s it holds other bytes than were put "
                             "in. Take another backup.",
                             (int)line.len - 66, line.ptr + 66);
    return error_set(err, FAIL_INVALID, "backup_damaged",
                     "The backup is damaged: it lacks something. Take another backup.");
}

static int check_sums(struct archive *a, uint64_t size, struct error *err)
{
    size_t have = 0;
    if (size > SUMS_MAX)
        return error_set(err, FAIL_INVALID, "archive", "This is no backup made by parley backup.");
    while (have < size) {
        ssize_t got = read(a->fd, a->bytes + have, (size_t)size - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_set(err, FAIL_INVALID, "archive", "The backup is cut short.");
        have += (size_t)got;
    }
    int rc = compare_sums(a, slice_of(a->bytes, have), err);
    return rc < 0 ? rc : skip_pad(a, size, err);
}

static int read_more(struct archive *a, const char *dir, bool (*more)(const char *name),
                     bool *ret_checked, struct error *err)
{
    unsigned char block[BLOCK];
    char name[LEN_NAME + 1];
    int rc;
    *ret_checked = false;
    while ((rc = next_entry(a->fd, block, name, err)) > 0) {
        if (strcmp(name, sums_name) == 0 && !*ret_checked) {
            rc = check_sums(a, get_size(block), err);
            *ret_checked = true;
        } else if (!*ret_checked && more(name)) {
            rc = unpack(a, dir, name, get_size(block), err);
        } else {
            rc = error_set(err, FAIL_INVALID, "archive",
                           "This is no backup made by parley backup: it has %s.", name);
        }
        if (rc < 0)
            return rc;
    }
    return rc;
}

int archive_read(const char *path, const char *dir, const char *const *names, size_t count,
                 bool (*more)(const char *name), bool *ret_checked, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "archive", "%s cannot be read", path);
    struct archive a;
    int rc = 0;
    archive_init(&a, fd);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = read_named(&a, dir, names[i], err);
    if (rc == 0)
        rc = read_more(&a, dir, more, ret_checked, err);
    archive_done(&a);
    return rc;
}
