/* What the files of the outbox share: writing to it (outbox.c) and its relay (outbox_relay.c). */
#ifndef PARLEY_KIT_OUTBOX_PRIVATE_H
#define PARLEY_KIT_OUTBOX_PRIVATE_H

#include "kit/outbox.h"

enum {
    OUTBOX_EVENT = 1,
    OUTBOX_AUDIT = 2,
    OUTBOX_LINKS_MAX = 10000, /* as in the log */
    OUTBOX_LINK_BYTES = 17,
};

/* Inside db_write on the outbox's database: one row more waits once this has committed. */
int outbox_poke_on_commit(struct kit *kit, struct db_tx *tx, struct error *err) MUSTCHECK;

#endif
