/* Starting and stopping the rooms over a kit: for the server, and for commands that use a room's
 * rules without traffic (parley user create). */
#ifndef PARLEY_APP_ROOMS_H
#define PARLEY_APP_ROOMS_H

#include "kit/module.h"

/* In list order; on failure those already started are stopped again. Blocks. */
int rooms_start(struct kit *kit, struct error *err) MUSTCHECK;
void rooms_stop(struct kit *kit);

#endif
