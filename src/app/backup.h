/* What a backup holds: the databases of a data folder by these names, in this order, and then those
 * of rooms that have one of their own. feed.db is not among them: what it has is made again. */
#ifndef PARLEY_APP_BACKUP_H
#define PARLEY_APP_BACKUP_H

enum { BACKUP_NAMES = 2 };
extern const char *const backup_names[BACKUP_NAMES]; /* main.db, search.db */

#endif
