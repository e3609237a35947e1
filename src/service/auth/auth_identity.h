/* The names that an account answers to: username, e-mail, phone (A08). Pure functions. */
#ifndef PARLEY_SERVICE_AUTH_IDENTITY_H
#define PARLEY_SERVICE_AUTH_IDENTITY_H

#include "base/arena.h"
#include "base/error.h"
#include "kit/contact.h"

#define AUTH_USERNAME_MIN 3
#define AUTH_USERNAME_MAX 32
#define AUTH_EMAIL_MAX CONTACT_EMAIL_MAX
#define AUTH_LOGIN_MAX 254

/* Each adds a field error and returns FAIL_INVALID when the text is not what its name says. */

/* Lower case. Codes: too_short, too_long, not_allowed, reserved. */
int auth_username(struct slice given, struct arena *arena, struct slice *ret_username,
                  struct error *err) MUSTCHECK;
/* The key that is unique: NFKC, case-folded. Codes: invalid_email, too_long. */
int auth_email_key(struct slice given, struct arena *arena, struct slice *ret_key,
                   struct error *err) MUSTCHECK;
/* E.164: '+' and 7 to 15 digits. Code: invalid_phone. */
int auth_phone(struct slice given, struct error *err) MUSTCHECK;

enum auth_login_kind { AUTH_BY_USERNAME, AUTH_BY_EMAIL, AUTH_BY_PHONE };
/* What somebody typed to sign in; false when no account can have that name. */
bool auth_login_key(struct slice login, struct arena *arena, enum auth_login_kind *ret_kind,
                    struct slice *ret_key) MUSTCHECK;

#endif
