/* backup: copies of all databases are made beside each other in a folder of the data folder, then
 * packed into one file. The folder goes with the command; one that was killed leaves it, and
 * whoever opens the data folder next removes it. */
#include "app/backup.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/archive.h"
#include "app/placement.h"
#include "base/fault.h"
#include "base/log.h"
#include "kit/outbox.h"

#define FOLDER "backup."

const char *const backup_names[BACKUP_NAMES] = {"main.db", "search.db"};

enum { COPIES_MAX = BACKUP_NAMES + PLACEMENT_ROOMS_MAX };

struct copies {
    char dir[4096];
    char names[COPIES_MAX][PLACEMENT_NAME_MAX + 4]; /* "graph.db" */
    struct db *dbs[COPIES_MAX];
    unsigned count;
};

static void add_copy(struct copies *c, const char *name, struct db *db)
{
    snprintf(c->names[c->count], sizeof c->names[0], "%s", name);
    c->dbs[c->count++] = db;
}

static void list_copies(struct copies *c, struct kit *kit)
{
    char name[PLACEMENT_NAME_MAX + 4];
    add_copy(c, backup_names[0], kit->main_db);
    add_copy(c, backup_names[1], kit_db(kit, "user.search"));
    for (unsigned i = 0; i < kit->database_count; i++) {
        const struct kit_database *d = &kit->databases[i];
        if (d->name == NULL || kit_database_again(kit, i))
            continue;
        snprintf(name, sizeof name, "%s.db", d->name);
        add_copy(c, name, d->db);
    }
}

static void copy_path(const struct copies *c, unsigned i, char *ret_path, size_t size)
{
    snprintf(ret_path, size, "%s/%s", c->dir, c->names[i]);
}

/* The last of the list first, main.db at the end, and meanwhile no outbox is relayed. So the copies
 * are what a crash could have left: what main.db's log tells of rooms elsewhere was in their files
 * when the outboxes were held, before any copy; and what they have handled of the log is in
 * main.db's copy, which is newer than theirs. What they say in between waits in their outboxes, in
 * the copies as well. The search file may lack something, which is in the log, and finds again what
 * it has too much. */
static int make_copies(const struct copies *c, struct control_call *call, struct error *err)
{
    struct kit *kit = call->kit;
    char path[4200];
    int rc = 0;
    outboxes_hold(kit->outboxes);
    for (unsigned i = c->count; i-- > 0 && rc == 0;) {
        copy_path(c, i, path, sizeof path);
        rc = db_backup(c->dbs[i], path, &call->stop, err);
    }
    outboxes_release(kit->outboxes);
    return rc;
}

/* The copy of a folder does not belong into it, and a name there may be the engines'. */
static int check_outside(const char *path, const char *data_dir, struct error *err)
{
    char folder[PATH_MAX], real[PATH_MAX];
    size_t len = strlen(data_dir);
    if (!copy_str(folder, sizeof folder, slice_str(path)))
        return error_set(err, FAIL_INVALID, "archive", "The path is too long.");
    if (realpath(dirname(folder), real) == NULL)
        return error_errno(err, errno, "archive", "The folder of %s cannot be found", path);
    if (strncmp(real, data_dir, len) == 0 && (real[len] == 0 || real[len] == '/'))
        return error_set(err, FAIL_INVALID, "backup_inside",
                         "%s is inside the data folder: name a file outside of it.", path);
    return 0;
}

/* Before the copies are made, which takes long; archive_write makes sure of the file. */
static int check_target(const char *path, const char *data_dir, struct error *err)
{
    struct stat st;
    int rc = check_outside(path, data_dir, err);
    if (rc == 0 && lstat(path, &st) == 0)
        rc = error_set(err, FAIL_CONFLICT, "backup_exists",
                       "%s exists already: " ARCHIVE_NAME_ANOTHER ".", path);
    return rc;
}

struct packing {
    struct control_call *call;
    const struct copies *copies;
    struct error *err;
    int rc;
};

static void pack(void *arg)
{
    struct packing *p = arg;
    const char *names[COPIES_MAX];
    for (unsigned i = 0; i < p->copies->count; i++)
        names[i] = p->copies->names[i];
    p->rc = archive_write(p->call->args[0], p->copies->dir, names, p->copies->count, &p->call->stop,
                          p->err);
}

/* In a server the loop has other things to do meanwhile. */
static int pack_aside(const struct copies *c, struct control_call *call, struct error *err)
{
    struct packing p = {.call = call, .copies = c, .err = err};
    int rc = 0;
    if (coro_current() != NULL)
        rc = offload_run(call->kit->blocking, pack, &p, CORO_FOREVER, err);
    else
        pack(&p);
    return rc < 0 ? rc : p.rc;
}

/* The copies are made beside each other in the data folder, then packed. */
int control_backup(struct control_call *call, struct error *err)
{
    struct copies c = {.count = 0};
    char path[4200];
    int rc = check_target(call->args[0], call->kit->data_dir, err);
    if (rc < 0)
        return rc;
    int len = snprintf(c.dir, sizeof c.dir, "%s/" FOLDER "XXXXXX", call->kit->data_dir);
    if (len < 0 || (size_t)len >= sizeof c.dir || mkdtemp(c.dir) == NULL)
        return error_errno(err, errno, "backup_failed", "No folder for the copies can be made");
    list_copies(&c, call->kit);
    rc = make_copies(&c, call, err);
    (void)fault("backup.copied");
    if (rc == 0)
        rc = pack_aside(&c, call, err);
    for (unsigned i = 0; i < c.count; i++) {
        copy_path(&c, i, path, sizeof path);
        unlink(path);
    }
    rmdir(c.dir);
    if (rc == 0)
        buf_printf(call->out, "backed up to %s\n", call->args[0]);
    return rc;
}

/* --- what a killed one leaves ------------------------------------------------------------------
 */

/* "backup.aB3xYz": as mkdtemp made it, for this user alone. */
static bool is_folder(int dir, const char *name)
{
    enum { PREFIX = sizeof FOLDER - 1, RANDOM = 6 };
    struct stat st;
    if (strncmp(name, FOLDER, PREFIX) != 0 || strlen(name) != PREFIX + RANDOM)
        return false;
    for (const char *c = name + PREFIX; *c != 0; c++)
        if (!isalnum((unsigned char)*c))
            return false;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
           (st.st_mode & 0777) == 0700 && st.st_uid == geteuid();
}

/* "main.db", or "main.db.part" while it was being copied. */
static bool is_copy(const char *name)
{
    char plain[256];
    size_t len = strlen(name);
    if (len > 5 && strcmp(name + len - 5, ".part") == 0)
        len -= 5;
    if (!copy_str(plain, sizeof plain, slice_of(name, len)))
        return false;
    for (size_t i = 0; i < BACKUP_NAMES; i++)
        if (strcmp(plain, backup_names[i]) == 0)
            return true;
    return placement_is_file(plain);
}

static DIR *open_at(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    if (entries == NULL && fd >= 0)
        close(fd);
    return entries;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A folder with anything else in it is somebody's own. */
static void sweep_folder(int dir, const char *name)
{
    DIR *entries = open_at(dir, name);
    struct dirent *entry;
    bool ours = entries != NULL;
    while (ours && (entry = readdir(entries)) != NULL)
        ours = is_dots(entry->d_name) || is_copy(entry->d_name);
    if (ours) {
        rewinddir(entries);
        while ((entry = readdir(entries)) != NULL)
            if (!is_dots(entry->d_name))
                (void)unlinkat(dirfd(entries), entry->d_name, 0);
        if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
            log_info("removed what a killed backup left", LOG_S("folder", name));
    }
    if (entries != NULL)
        closedir(entries);
}

void backup_sweep(const char *data_dir)
{
    DIR *entries = opendir(data_dir);
    struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL)
        if (is_folder(dirfd(entries), entry->d_name))
            sweep_folder(dirfd(entries), entry->d_name);
    if (entries != NULL)
        closedir(entries);
}
