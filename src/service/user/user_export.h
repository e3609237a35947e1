/* Everything that the house keeps about a person, for themselves (Z07). */
#ifndef PARLEY_SERVICE_USER_EXPORT_H
#define PARLEY_SERVICE_USER_EXPORT_H

#include "service/user/user_room.h"

/* GET /users/me/export: streams the document by itself. */
int user_export_route(struct request *req);
/* The user room's own part; see export_person of kit/module.h. */
int user_export_person(void *room, struct db_tx *tx, const struct id *user, export_fn *fn,
                       void *arg, struct error *err);

#endif
