/* Engines and rooms of a data folder without loops or listeners: for commands that use the rooms'
 * rules while no server runs there. */
#ifndef PARLEY_APP_HOUSE_H
#define PARLEY_APP_HOUSE_H

#include "app/engines.h"

struct house {
    struct engines engines;
    struct kit kit;
    bool rooms_started;
    bool restoring; /* set by the caller before opening: see struct engines */
};

/* house->kit is zeroed by the caller, except loops and loop_count when there is a loop to run
 * consumers on. Applies missing migrations. Rooms are where they
 * are on record, so that commands need no database.rooms. On failure nothing is left open. Blocks.
 */
int house_open(struct house *house, const struct config *config, const struct clock *clock,
               struct error *err) MUSTCHECK;
void house_close(struct house *house);
/* Takes engines and rooms down in the right order: the log goes first, because closing it folds
 * into the rooms' tables. */
void house_take_down(struct engines *engines, struct kit *kit, bool rooms_started);

#endif
