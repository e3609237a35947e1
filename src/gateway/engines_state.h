/* How the engines behind this process do, as /health and the list of nodes say it. */
#ifndef PARLEY_GATEWAY_ENGINES_STATE_H
#define PARLEY_GATEWAY_ENGINES_STATE_H

#include "kit/kit.h"

struct engines_state {
    bool database;  /* every one of them answers */
    bool log;       /* lies in and beside the databases, and takes what is said */
    bool ephemeral; /* keys can be read */
};
/* Asks them now; may wait. */
struct engines_state engines_state(struct kit *kit, struct arena *arena);
struct slice engines_word(bool works); /* "ok" or "failing" */

#endif
