#include "service/auth/auth_identity.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/json.h"

/* Names that would be taken for the house itself, or that stand in its paths. */
static const char *const reserved[] = {"admin",  "root", "parley",     "support",
                                       "system", "me",   "by-username"};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool in_username(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
}

static bool fold_username(struct slice given, struct arena *arena, struct slice *ret_username)
{
    struct slice copy = arena_copy(arena, given);
    char *text = (char *)copy.ptr; /* our own copy */
    for (size_t i = 0; text != NULL && i < copy.len; i++) {
        text[i] = lower(text[i]);
        if (!in_username(text[i]))
            return false;
    }
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
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (slice_eq(username, slice_str(reserved[i])))
            return error_field(err, "username", "reserved", "This username is reserved.");
    *ret_username = username;
    return 0;
}

/* RFC 5322 section 3.2.3 atext, and what RFC 6531 adds. */
static bool in_local_part(unsigned char c)
{
    return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c != 0 && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static bool good_local_part(struct slice text)
{
    if (text.len < 1 || text.len > 64 || text.ptr[0] == '.' || text.ptr[text.len - 1] == '.')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!in_local_part((unsigned char)text.ptr[i]) ||
            (text.ptr[i] == '.' && text.ptr[i - 1] == '.'))
            return false;
    return true;
}

static bool good_label(struct slice text)
{
    if (text.len < 1 || text.len > 63 || text.ptr[0] == '-' || text.ptr[text.len - 1] == '-')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)lower(text.ptr[i]);
        if (c < 0x80 && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

static bool good_domain(struct slice rest)
{
    unsigned labels = 0;
    for (bool more = true; more; labels++) {
        struct slice label;
        more = slice_cut(&rest, '.', &label);
        if (!good_label(label))
            return false;
    }
    return labels >= 2;
}

static bool good_email(struct slice text)
{
    struct slice domain = text, local;
    return text.len <= AUTH_EMAIL_MAX && slice_cut(&domain, '@', &local) &&
           good_local_part(local) && good_domain(domain);
}

/* NFKC with case folding and without invisible characters, so that what looks alike to people is
 * one address. Absent slice when it cannot be done. */
static struct slice fold(struct slice text, struct arena *arena)
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t len = utf8proc_map(
        (const utf8proc_uint8_t *)text.ptr, (utf8proc_ssize_t)text.len, &folded,
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
    struct slice key = {0};
    if (len >= 0)
        key = arena_copy(arena, slice_of((const char *)folded, (size_t)len));
    free(folded);
    return key;
}

int auth_email_key(struct slice given, struct arena *arena, struct slice *ret_key,
                   struct error *err)
{
    if (given.len > AUTH_EMAIL_MAX)
        return error_field(err, "email", "too_long", "An e-mail address has at most %d bytes.",
                           AUTH_EMAIL_MAX);
    struct slice key = good_email(given) ? fold(given, arena) : (struct slice){0};
    /* Folding can turn a character into '@' or a blank: the result is checked again. */
    if (key.ptr == NULL || !good_email(key))
        return error_field(err, "email", "invalid_email", "This is no e-mail address.");
    *ret_key = key;
    return 0;
}

int auth_phone(struct slice given, struct error *err)
{
    bool good = given.len >= 8 && given.len <= 16 && given.ptr[0] == '+' && given.ptr[1] != '0';
    for (size_t i = 1; good && i < given.len; i++)
        good = given.ptr[i] >= '0' && given.ptr[i] <= '9';
    if (!good)
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
