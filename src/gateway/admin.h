/* The administration: what the people who run the house see and do over HTTP, and the topic "admin"
 * that tells them live what has changed. Routes are in admin_*.c; the rules are the rooms' and the
 * kit's. Whatever changes something stands in the audit log. */
#ifndef PARLEY_GATEWAY_ADMIN_H
#define PARLEY_GATEWAY_ADMIN_H

#include "contract/admin.h"
#include "kit/module.h"

extern const struct module admin_module;

/* Before traffic; both texts live as long as the process. */
void admin_go(struct kit *kit, const char *version, const char *address);

/* --- dead letters with the audit log, for the command line too; actor NULL: the operator -------
 */
int admin_requeue(struct kit *kit, const struct id *actor, const struct id *letter,
                  struct slice correlation_id, struct arena *arena, struct error *err) MUSTCHECK;
int admin_discard(struct kit *kit, const struct id *actor, const struct id *letter,
                  struct slice correlation_id, struct arena *arena, struct error *err) MUSTCHECK;

#endif
