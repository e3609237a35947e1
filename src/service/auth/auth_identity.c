#include "service/auth/auth_identity.h"

#include "kit/contact.h"

/* Names that would be taken for the house itself, that stand in its paths, or that programs take
 * for nobody's. */
static const char *const reserved[] = {
    "admin",   "administrator", "moderator", "root", "parley",    "official",   "security",
    "support", "system",        "me",        "null", "undefined", "by-username"};

static bool is_reserved(struct slice username)
{
    bool only_marks = true;
    for (size_t i = 0; i < username.len; i++)
        only_marks = only_marks && (username.ptr[i] == '.' || username.ptr[i] == '_');
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (slice_eq(username, slice_str(reserved[i])))
            return true;
    return only_marks;
}

static bool in_username(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
}

static bool fold_username(struct slice given, struct arena *arena, struct slice *ret_username)
{
    struct slice copy = arena_copy_lower(arena, given);
    for (size_t i = 0; i < copy.len; i++)
        if (!in_username(copy.ptr[i]))
            return false;
    *ret_username = copy;
    return copy.ptr != NULL;
}

int auth_username(struct slice given, struct arena *arena, struct slice *ret_username,
                  struct error *err)
{
    if (given.len < AUTH_USERNAME_MIN)
        return error_field(err, "username", "too_short", "A username has at least %d characters.",
                           AUTH_USERNAME_MIN);
    if (given.len > AUTH_USERNAME_MAX)
        return error_field(err, "username", "too_long", "A username has at most %d characters.",
                           AUTH_USERNAME_MAX);
    struct slice username;
    if (!fold_username(given, arena, &username))
        return error_field(err, "username", "not_allowed",
                           "A username is made of a-z, 0-9, dot and underscore.");
    if (is_reserved(username))
        return error_field(err, "username", "reserved", "This username is reserved.");
    *ret_username = username;
    return 0;
}

int auth_email_key(struct slice given, struct arena *arena, struct slice *ret_key,
                   struct error *err)
{
    if (given.len > AUTH_EMAIL_MAX)
        return error_field(err, "email", "too_long", "An e-mail address has at most %d bytes.",
                           AUTH_EMAIL_MAX);
    struct slice key = contact_email_key(given, arena);
    if (key.ptr == NULL)
        return error_field(err, "email", "invalid_email", "This is no e-mail address.");
    *ret_key = key;
    return 0;
}

int auth_phone(struct slice given, struct error *err)
{
    if (!contact_is_phone(given))
        return error_field(err, "phone", "invalid_phone",
                           "A phone number is '+' and 7 to 15 digits, country code first (E.164).");
    return 0;
}

bool auth_login_key(struct slice login, struct arena *arena, enum auth_login_kind *ret_kind,
                    struct slice *ret_key)
{
    struct error ignored;
    error_init(&ignored);
    if (login.len > 0 && login.ptr[0] == '+') {
        *ret_kind = AUTH_BY_PHONE;
        *ret_key = login;
        return auth_phone(login, &ignored) == 0;
    }
    if (slice_find(login, '@') >= 0) {
        *ret_kind = AUTH_BY_EMAIL;
        return auth_email_key(login, arena, ret_key, &ignored) == 0;
    }
    *ret_kind = AUTH_BY_USERNAME;
    return login.len >= 1 && login.len <= AUTH_USERNAME_MAX && fold_username(login, arena, ret_key);
}
