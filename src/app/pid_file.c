#include "app/pid_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int pid_file_write(const char *path, struct error *err)
{
    if (path == NULL)
        return 0;
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return error_errno(err, errno, "pid_file", "The pid file %s cannot be written", path);
    (void)fchmod(fileno(file), 0644); /* no secret, and others look after the process by it */
    bool good = fprintf(file, "%d\n", (int)getpid()) > 0;
    if (fclose(file) != 0 || !good)
        return error_errno(err, errno, "pid_file", "The pid file %s cannot be written", path);
    return 0;
}

/* A server of another data folder may have overwritten it since. */
static bool is_ours(const char *path)
{
    char line[32] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    return read && strtol(line, NULL, 10) == (long)getpid();
}

void pid_file_remove(const char *path)
{
    if (path != NULL && is_ours(path))
        unlink(path);
}
