/* restore: a backup goes into an empty data folder.
 *
 *     1  the folder gets the mark restore.unfinished, and must have nothing else
 *     2  the files of the archive are unpacked into it, and checked
 *     3  everything is opened once: missing migrations, a new epoch of the log
 *     4  the mark is removed
 *
 * Nobody else opens a folder with the mark (engines.h), so what a crash leaves is never taken for
 * the whole. What fails removes all that it has made. The mark, and no other folder renamed at the
 * end, because the folder may be the root of a file system. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/archive.h"
#include "app/backup.h"
#include "app/commands.h"
#include "app/house.h"
#include "app/placement.h"
#include "base/fault.h"
#include "base/random.h"

static int check_empty(const char *dir, struct error *err)
{
    DIR *entries = opendir(dir);
    if (entries == NULL)
        return errno == ENOENT ? 0 : error_errno(err, errno, "restore", "%s cannot be read", dir);
    int rc = 0;
    struct dirent *entry;
    while (rc == 0 && (entry = readdir(entries)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strcmp(entry->d_name, ENGINES_RESTORE_MARK) != 0)
            rc =
                error_set(err, FAIL_CONFLICT, "restore",
                          "%s is not empty: move it away first, or name another with --data.", dir);
    closedir(entries);
    return rc;
}

/* --- the mark ----------------------------------------------------------------------------------
 */

static int make_mark(const char *dir, const char *mark, struct error *err)
{
    int fd = open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, errno, "restore", "%s cannot be made", mark);
    close(fd);
    return archive_sync_folder(dir, err);
}

static int remove_mark(const char *dir, const char *mark, struct error *err)
{
    int rc = archive_sync_folder(dir, err);
    if (rc == 0 && unlink(mark) < 0)
        rc = error_errno(err, errno, "restore", "%s cannot be removed", mark);
    return rc < 0 ? rc : archive_sync_folder(dir, err);
}

/* The folder itself stays, and the mark for as long as there is anything else. */
static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    if (at->level > 0 && (at->level > 1 || strcmp(path + at->base, ENGINES_RESTORE_MARK) != 0))
        (void)remove(path);
    return 0;
}

static void remove_all(const char *dir, const char *mark)
{
    enum { FOLDERS_OPEN = 8 };
    char real[PATH_MAX]; /* the walk follows no link, and the folder may be named by one */
    struct error err;
    error_init(&err);
    if (realpath(dir, real) != NULL)
        (void)nftw(real, remove_one, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    if (check_empty(dir, &err) == 0)
        (void)unlink(mark);
}

/* --- the restore -------------------------------------------------------------------------------
 */

static const struct db_sql sql_new_epoch = {"UPDATE log_epoch SET epoch = ?1"};

/* Positions that clients hold may be of events that the backup does not have: a new epoch makes
 * them come back with resync. */
static int change_epoch(struct db_tx *tx, void *arg, struct error *err)
{
    (void)arg;
    return db_exec(tx, &sql_new_epoch, err, db_int((int64_t)(random_u64() & UINT32_MAX)));
}

static int open_once(const struct config *config, struct error *err)
{
    struct house house = {.restoring = true};
    int rc = house_open(&house, config, &clock_system, err);
    if (rc < 0)
        return rc;
    rc = db_write(house.kit.main_db, change_epoch, NULL, err);
    house_close(&house);
    return rc;
}

/* Also what an archive without checksums holds, or one whose database was damaged before. */
static int check_databases(const char *dir, struct error *err)
{
    char path[4096 + 256];
    DIR *entries = opendir(dir);
    if (entries == NULL)
        return error_errno(err, errno, "restore", "%s cannot be read", dir);
    int rc = 0;
    struct dirent *entry;
    while (rc == 0 && (entry = readdir(entries)) != NULL) {
        size_t len = strlen(entry->d_name);
        if (len < 3 || strcmp(entry->d_name + len - 3, ".db") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        rc = db_check_file(path, err);
    }
    closedir(entries);
    return rc;
}

static int fill(const struct config *config, const char *dir, const char *path, bool *ret_checked,
                struct error *err)
{
    int rc =
        archive_read(path, dir, backup_names, BACKUP_NAMES, placement_is_file, ret_checked, err);
    if (rc == 0)
        rc = check_databases(dir, err);
    if (rc == 0 && fault("restore.unpacked"))
        rc = error_set(err, FAIL_INTERNAL, "restore_fault", "The fault point was hit.");
    if (rc == 0)
        rc = open_once(config, err);
    if (rc == 0 && fault("restore.opened"))
        rc = error_set(err, FAIL_INTERNAL, "restore_fault", "The fault point was hit.");
    return rc;
}

static int restore(const struct config *config, const char *path, bool *ret_checked,
                   struct error *err)
{
    const char *dir = config_string(config, "data");
    char mark[4096];
    if (!engines_path(config, ENGINES_RESTORE_MARK, mark, sizeof mark))
        return error_set(err, FAIL_INVALID, "restore", "The path of the data folder is too long.");
    int rc = engines_check_finished(config, err);
    if (rc == 0)
        rc = check_empty(dir, err);
    if (rc < 0)
        return rc;
    bool made = mkdir(dir, 0700) == 0;
    if (!made && errno != EEXIST)
        return error_errno(err, errno, "restore", "%s cannot be made", dir);
    rc = make_mark(dir, mark, err);
    if (rc < 0)
        return rc;
    /* Once more: a server that began since has made its files, or else sees the mark. */
    rc = check_empty(dir, err);
    if (rc < 0) {
        (void)unlink(mark);
        return rc;
    }
    rc = fill(config, dir, path, ret_checked, err);
    if (rc == 0)
        rc = remove_mark(dir, mark, err);
    if (rc < 0) {
        remove_all(dir, mark);
        if (made)
            (void)rmdir(dir);
    }
    return rc;
}

int restore_command(const struct options *options)
{
    if (options->arg_count != 1) {
        fprintf(stderr, "usage: parley restore FILE [--data DIR]\n");
        return 2;
    }
    struct error err;
    error_init(&err);
    struct config *config;
    if (options_config(options, &config, &err) < 0)
        return options_complain("configuration", &err);
    bool checked = false;
    int rc = restore(config, options->args[0], &checked, &err);
    if (rc == 0 && !checked)
        printf("this backup, of an older version, has no checksums: the databases are sound, but "
               "what they hold could not be compared with what was backed up\n");
    if (rc == 0)
        printf("restored into %s; clients will read their lists again\n",
               config_string(config, "data"));
    config_free(config);
    return rc < 0 ? options_complain("restore", &err) : 0;
}
