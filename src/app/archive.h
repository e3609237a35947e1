/* A backup is one file: the databases of a data folder as a POSIX tar archive (ustar, IEEE Std
 * 1003.1-2001), readable by any tar. Its last entry is SHA256SUMS, which sha256sum --check reads.
 */
#ifndef PARLEY_APP_ARCHIVE_H
#define PARLEY_APP_ARCHIVE_H

#include "base/error.h"

/* What to do about a backup's path that is taken. */
#define ARCHIVE_NAME_ANOTHER "move it away, or name another file"

/* What was made in or taken from this folder is so after a power loss. Blocks. */
int archive_sync_folder(const char *dir, struct error *err) MUSTCHECK;
/* Packs dir/names[i] into `path` (written beside it as `path`.part, synced, then renamed). What
 * exists at either is left alone: FAIL_CONFLICT "backup_exists". Blocks; ends without a file,
 * FAIL_CANCELLED, soon after *stop became true (any thread may set it; NULL: nobody will). */
int archive_write(const char *path, const char *dir, const char *const *names, size_t count,
                  const _Atomic bool *stop, struct error *err) MUSTCHECK;
/* Unpacks these names into dir, and after them whatever else `more` agrees to; refuses an archive
 * that lacks a name, has another, is cut, or holds other bytes than were packed ("backup_damaged").
 * *ret_checked is false for an archive of a version that packed no checksums. */
int archive_read(const char *path, const char *dir, const char *const *names, size_t count,
                 bool (*more)(const char *name), bool *ret_checked, struct error *err) MUSTCHECK;

#endif
