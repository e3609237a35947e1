/* parley migrate --move: a room's tables go from one database to another, with the server stopped.
 */
#ifndef PARLEY_APP_MOVE_H
#define PARLEY_APP_MOVE_H

#include "base/config.h"

/* item: "social=graph". Prints what it did, or why not; the exit code. Blocks. */
int move_room(const struct config *config, const char *item);

#endif
