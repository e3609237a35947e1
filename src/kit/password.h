/* Password hashing through the system's crypt (libxcrypt): bcrypt, "$2b$" (A04).
 *
 * A hash takes a fifth of a second on purpose, so it runs on the crypto pool, never on a loop; a
 * full queue is FAIL_UNAVAILABLE "busy". Without a pool or outside a coroutine (command line,
 * tests) the calling thread computes. bcrypt reads 72 bytes and stops at NUL: longer passwords are
 * refused, never truncated.
 */
#ifndef PARLEY_KIT_PASSWORD_H
#define PARLEY_KIT_PASSWORD_H

#include "base/error.h"
#include "io/offload.h"

#define PASSWORD_CHARS_MIN 8
#define PASSWORD_BYTES_MAX 72
#define PASSWORD_HASH_MAX 128 /* text of a hash with its terminator */
#define PASSWORD_COST_MIN 4
#define PASSWORD_COST_MAX 15

/* Whether a new password may be used; adds a field error under `field` (too_short, too_long,
 * control_character). */
int password_check_new(struct slice password, const char *field, struct error *err) MUSTCHECK;
/* cost: log2 of the rounds, PASSWORD_COST_MIN..MAX. Waits. */
int password_hash(struct offload *pool, struct slice password, unsigned cost,
                  char ret_hash[PASSWORD_HASH_MAX], struct error *err) MUSTCHECK;
/* *ret_match says whether it is the password. `hash` absent: nobody's; computes one of `cost` all
 * the same and never matches, so that time does not tell whether the account exists. A wrong
 * password takes as long for a hash that was made with less. A password
 * that could never have been set does not match. Waits. */
int password_verify(struct offload *pool, struct slice password, struct slice hash, unsigned cost,
                    bool *ret_match, struct error *err) MUSTCHECK;
/* The hash was made with less than this, or by another method: hash again at the next sign-in. */
bool password_hash_is_weak(struct slice hash, unsigned cost);

#endif
