/* Codes: six digits that go to an address and prove that whoever has them reads what comes there.
 *
 * A code lives ten minutes and for five tries; a new one for the same purpose takes its place. It
 * is stored as a keyed hash over purpose, user and address, so that it serves for nothing else: a
 * changed address voids it. The digits themselves are nowhere but in the letter. */
#ifndef PARLEY_SERVICE_AUTH_CODE_H
#define PARLEY_SERVICE_AUTH_CODE_H

#include "kit/seal.h"
#include "service/auth/auth_store.h"

#define AUTH_CODE_DIGITS 6
#define AUTH_CODE_TTL_MS INT64_C(600000)
#define AUTH_CODE_TRIES 5

enum auth_code_purpose { AUTH_CODE_VERIFY_EMAIL = 1, AUTH_CODE_VERIFY_PHONE, AUTH_CODE_RESET };

/* Where the account can be reached; absent slice: nowhere on that channel. */
struct slice auth_address(const struct auth_account *account, enum auth_channel channel);

void auth_code_make(char ret_digits[AUTH_CODE_DIGITS + 1]);

/* Inside db_write. */
int auth_code_put(struct db_tx *tx, const uint8_t key[SEAL_KEY_BYTES],
                  const struct auth_account *account, enum auth_code_purpose purpose,
                  enum auth_channel channel, const char *digits, int64_t now_ms,
                  struct error *err) MUSTCHECK;
/* Takes a try. *ret_good: it is the code, and it has been used up by this. The caller must let the
 * transaction commit when it is not, so that the try counts. */
int auth_code_use(struct db_tx *tx, const uint8_t key[SEAL_KEY_BYTES],
                  const struct auth_account *account, enum auth_code_purpose purpose,
                  struct slice digits, int64_t now_ms, bool *ret_good, struct error *err) MUSTCHECK;

#endif
