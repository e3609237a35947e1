/* The bodies of the auth routes, as data. */
#ifndef PARLEY_SERVICE_AUTH_SCHEMA_H
#define PARLEY_SERVICE_AUTH_SCHEMA_H

#include "service/auth/auth.h"

struct auth_refresh_body {
    struct slice refresh_token;
};
struct auth_password_body {
    struct slice current_password, new_password;
};
struct auth_pending {
    struct slice status;
};
struct auth_session_params {
    struct id id;
};

extern const struct schema auth_signup_schema, auth_login_schema, auth_grant_schema;
extern const struct schema auth_refresh_schema, auth_password_schema, auth_pending_schema;
extern const struct schema auth_session_schema, auth_session_params_schema;

#endif
