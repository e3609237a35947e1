/* A database as it lies: the file, its write-ahead log and the segments beside it. Copied while
 * nobody writes (on the writer thread) it is what a crash would leave. */
#ifndef PARLEY_TESTS_DATABASE_FILES_H
#define PARLEY_TESTS_DATABASE_FILES_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

static void copy_file(const char *from, const char *to)
{
    char bytes[65536];
    FILE *in = fopen(from, "rb"), *out = in != NULL ? fopen(to, "wb") : NULL;
    size_t len;
    while (out != NULL && (len = fread(bytes, 1, sizeof bytes, in)) > 0)
        CHECK(fwrite(bytes, 1, len, out) == len);
    if (in != NULL)
        fclose(in);
    if (out != NULL)
        fclose(out);
}

static void empty_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.')
            CHECK(unlinkat(dirfd(folder), entry->d_name, 0) == 0);
    closedir(folder);
}

/* What was at `to` is gone. */
static void copy_database(const char *path, const char *to)
{
    char from[1024], copy[1024];
    copy_file(path, to);
    snprintf(from, sizeof from, "%s-wal", path);
    snprintf(copy, sizeof copy, "%s-wal", to);
    copy_file(from, copy);
    snprintf(from, sizeof from, "%s.log", path);
    snprintf(copy, sizeof copy, "%s.log", to);
    empty_folder(copy);
    DIR *folder = opendir(from);
    if (folder == NULL)
        return;
    CHECK(mkdir(copy, 0700) == 0 || errno == EEXIST);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(from, sizeof from, "%s.log/%s", path, entry->d_name);
        snprintf(copy, sizeof copy, "%s.log/%s", to, entry->d_name);
        copy_file(from, copy);
    }
    closedir(folder);
}

#endif
