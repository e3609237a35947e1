/* The refresh token as a cookie, for the web client: script cannot read it, other sites cannot send
 * it. Asked for by the header `x-parley-cookie: refresh` on sign-up, sign-in and refresh; then the
 * answer's refresh_token is null. */
#ifndef PARLEY_SERVICE_AUTH_COOKIE_H
#define PARLEY_SERVICE_AUTH_COOKIE_H

#include "kit/request.h"

bool auth_cookie_wanted(const struct request *req);
/* The token in the cookie, absent when there is none. FAIL_FORBIDDEN "origin_not_allowed" when the
 * request comes from another site's page. */
int auth_cookie_read(struct request *req, struct slice *ret_token) MUSTCHECK;
void auth_cookie_set(struct request *req, struct slice token, int64_t max_age_ms);
void auth_cookie_clear(struct request *req);

#endif
