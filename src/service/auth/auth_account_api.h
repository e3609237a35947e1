/* The routes about the account itself; their rows stand in auth_api.c. */
#ifndef PARLEY_SERVICE_AUTH_ACCOUNT_API_H
#define PARLEY_SERVICE_AUTH_ACCOUNT_API_H

#include "service/auth/auth.h"

struct auth_call auth_call_of(struct request *req);

extern const struct schema auth_verify_schema, auth_forgot_schema, auth_reset_schema;
extern const struct schema auth_confirm_schema;
extern const struct route_error auth_verify_errors[], auth_forgot_errors[];
extern const struct route_error auth_reset_errors[], auth_leave_errors[];

extern const struct schema auth_email_schema, auth_phone_schema;
extern const struct route_error auth_contact_errors[];
int auth_email_route(struct request *req);
int auth_phone_route(struct request *req);

int auth_verify_route(struct request *req);
int auth_forgot_route(struct request *req);
int auth_reset_route(struct request *req);
int auth_deactivate_route(struct request *req);
int auth_delete_route(struct request *req);

#endif
