/* Refresh tokens: session id (16 bytes), secret (24), tag (16), as base64url. The tag shows that
 * this server made the token, so that a used-up one can be told from an invented one: the first
 * ends its session, the second is nobody's. Pure functions. */
#ifndef PARLEY_SERVICE_AUTH_REFRESH_TOKEN_H
#define PARLEY_SERVICE_AUTH_REFRESH_TOKEN_H

#include "base/id.h"
#include "kit/seal.h"

#define AUTH_REFRESH_TEXT 75 /* characters */

struct auth_refresh_token {
    struct id session;
    char text[AUTH_REFRESH_TEXT + 1]; /* terminated */
    uint8_t hash[32];                 /* SHA-256 of the text: what is stored */
};

void auth_refresh_token_make(const uint8_t key[SEAL_KEY_BYTES], const struct id *session,
                             struct auth_refresh_token *ret_token);
/* False for whatever this server has not made. */
bool auth_refresh_token_read(const uint8_t key[SEAL_KEY_BYTES], struct slice text,
                             struct auth_refresh_token *ret_token) MUSTCHECK;
/* The key that seals the answer given for this token. */
void auth_refresh_answer_key(const uint8_t key[SEAL_KEY_BYTES],
                             const struct auth_refresh_token *token,
                             uint8_t ret_key[SEAL_KEY_BYTES]);

#endif
