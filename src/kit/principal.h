/* Who is asking, and what they may do. */
#ifndef PARLEY_KIT_PRINCIPAL_H
#define PARLEY_KIT_PRINCIPAL_H

#include "base/id.h"

enum role { ROLE_USER, ROLE_MODERATOR, ROLE_ADMIN };
extern const char *const role_names[]; /* "user" "moderator" "admin" NULL */

/* Scopes are bits: a route names the ones it needs, a role grants a set. */
enum scope {
    SCOPE_NONE = 0,          /* any signed-in user */
    SCOPE_MODERATE = 1 << 0, /* moderator and admin */
    SCOPE_ADMIN = 1 << 1,    /* admin */
};

struct principal {
    struct id user;
    struct id session;
    enum role role;
    unsigned scopes;
    int64_t issued_ms, expires_ms; /* of the access token, wall clock */
};

unsigned role_scopes(enum role role);

#endif
