#include "kit/principal.h"

#include <stddef.h>

const char *const role_names[] = {"user", "moderator", "admin", NULL};

unsigned role_scopes(enum role role)
{
    switch (role) {
    case ROLE_USER: return SCOPE_NONE;
    case ROLE_MODERATOR: return SCOPE_MODERATE;
    case ROLE_ADMIN: return SCOPE_MODERATE | SCOPE_ADMIN;
    }
    return SCOPE_NONE;
}
