/* The list of all people, for those who administer. */
#ifndef PARLEY_SERVICE_USER_ADMIN_STORE_H
#define PARLEY_SERVICE_USER_ADMIN_STORE_H

#include "service/user/user.h"

#define USER_ADMIN_NAME_BYTES 32

struct user_admin_filter {
    int role;            /* enum role, -1: any */
    int is_active;       /* 0, 1, -1: any */
    struct slice prefix; /* of the username; absent: everybody */
    struct id before;    /* without a prefix: newest first, ids below this; nil: from the newest */
    struct slice after;  /* with one: by username, names behind this; absent: from the first */
    unsigned limit;
};
/* Up to limit + 1 ids: one more says that there are more. names[i] is the username that belongs to
 * ids[i], zero padded. */
int user_admin_list(struct user_room *room, const struct user_admin_filter *filter,
                    struct id *ret_ids, char (*ret_names)[USER_ADMIN_NAME_BYTES], size_t *ret_count,
                    struct error *err) MUSTCHECK;

#endif
