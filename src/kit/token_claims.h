/* The claims of an access token (RFC 9068 section 2.2): writing ours, reading what comes back. */
#ifndef PARLEY_KIT_TOKEN_CLAIMS_H
#define PARLEY_KIT_TOKEN_CLAIMS_H

#include "kit/token.h"

void token_claims_write(const struct token_config *config, const struct principal *principal,
                        const struct id *jti, struct buf *out);
/* Of a token whose signature is good: typ, iss, aud and times are checked, the rest becomes the
 * principal. FAIL_UNAUTHENTICATED as token_check says. */
int token_claims_read(const struct token_config *config, const struct jwt *jwt, int64_t now_ms,
                      struct arena *arena, struct principal *ret_principal,
                      struct error *err) MUSTCHECK;

#endif
