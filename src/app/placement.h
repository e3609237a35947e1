/* Which database each room's tables live in: what the configuration says (database.rooms), and what
 * main.db has on record. The record decides where the rows are; a configuration that says otherwise
 * is refused, because the room would begin empty. */
#ifndef PARLEY_APP_PLACEMENT_H
#define PARLEY_APP_PLACEMENT_H

#include "base/config.h"
#include "engine/db.h"
#include "kit/module.h"

enum { PLACEMENT_ROOMS_MAX = 32, PLACEMENT_NAME_MAX = 32 };

/* By index of all_modules: "main", or "graph" for graph.db. "" in a record: not there yet. */
struct placement {
    char name[PLACEMENT_ROOMS_MAX][PLACEMENT_NAME_MAX + 1];
};

/* Of the configuration. FAIL_INVALID, field database.rooms, with a sentence for each wrong item. */
int placement_read(const struct config *config, struct placement *ret_placement,
                   struct error *err) MUSTCHECK;
/* One item, "social=graph": the room's index and the database's name (PLACEMENT_NAME_MAX + 1). */
int placement_parse(const char *item, size_t *ret_room, char *ret_name,
                    struct error *err) MUSTCHECK;
/* "graph.db": the file of a database that rooms may live in beside main.db. */
bool placement_is_file(const char *file);
bool placement_in_main(const struct placement *placement, size_t room);

extern const struct db_schema placement_schema; /* of main.db */
/* What main.db has on record; a room of a main.db from before the record, whose migrations are
 * applied there, is in main. Works on a database without any table. Blocks. */
int placement_recorded(struct db *main_db, struct placement *ret_placement,
                       struct error *err) MUSTCHECK;
/* Refuses a room that is elsewhere than it shall be: FAIL_CONFLICT "room_elsewhere", and says which
 * command moves it. */
int placement_compare(const struct placement *wanted, const struct placement *recorded,
                      struct error *err) MUSTCHECK;
/* The tables of a room that is on record in this database have to be there: FAIL_CONFLICT
 * "room_missing". */
int placement_check_tables(struct db *db, const char *name, const struct placement *recorded,
                           struct error *err) MUSTCHECK;
/* Records what is not on record yet. */
int placement_record(struct db *main_db, const struct placement *placement,
                     struct error *err) MUSTCHECK;
/* For a move (move.h), inside db_write on main.db: the room is at `to` from now on, and what it has
 * at `from` is still to be dropped; that this is done; and where there is something left ("": no
 * more; PLACEMENT_NAME_MAX + 1), also inside db_read. */
int placement_move(struct db_tx *tx, const char *room, const char *from, const char *to,
                   struct error *err) MUSTCHECK;
int placement_dropped(struct db_tx *tx, const char *room, const char *name,
                      struct error *err) MUSTCHECK;
int placement_next_left(struct db_tx *tx, const char *room, char *ret_name,
                        struct error *err) MUSTCHECK;

#endif
