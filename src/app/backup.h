/* What a backup holds: the databases of a data folder by these names, in this order, and then those
 * of rooms that have one of their own. feed.db is not among them: what it has is made again. */
#ifndef PARLEY_APP_BACKUP_H
#define PARLEY_APP_BACKUP_H

#include "app/control.h"

enum { BACKUP_NAMES = 2 };
extern const char *const backup_names[BACKUP_NAMES]; /* main.db, search.db */

/* The action; may wait. */
int control_backup(struct control_call *call, struct error *err) MUSTCHECK;
/* Removes the copies that a killed backup has left in the data folder, which the caller has locked.
 */
void backup_sweep(const char *data_dir);

#endif
