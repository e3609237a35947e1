/* Accounts and chats for a scenario, made through the API like any client's. Names are fixed
 * (bench000001...), so that a data folder that was filled before is used again: an account that
 * exists is signed in. The server must run with its limits off and a low bcrypt cost. */
#ifndef BENCH_LOAD_WORLD_H
#define BENCH_LOAD_WORLD_H

#include "text.h"

struct account {
    char *id, *token;
};

struct world {
    const char *server;
    struct account *accounts;
    size_t account_count;
};

void world_init(struct world *w, const char *server, size_t accounts);
void world_free(struct world *w);

/* The direct chat of accounts pairs[i][0] and pairs[i][1]; ids are owned by the caller. */
void world_direct_chats(struct world *w, const size_t (*pairs)[2], size_t count, char **ret_ids);
/* One chat owned by account 0 with the members 1..members. */
char *world_channel(struct world *w, const char *kind, size_t members);
/* `each` groups for every account, a hundred members in each, unless the first account is in a
 * chat already. The number of accounts must be a multiple of 100. */
void world_groups(struct world *w, unsigned each);

#endif
