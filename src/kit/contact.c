#include "kit/contact.h"

#include <stdlib.h>
#include <utf8proc.h>

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
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x80 && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9') && c != '-')
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
    return text.len <= CONTACT_EMAIL_MAX && slice_cut(&domain, '@', &local) &&
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

struct slice contact_email_key(struct slice text, struct arena *arena)
{
    struct slice key = good_email(text) ? fold(text, arena) : (struct slice){0};
    /* Folding can turn a character into '@' or a blank: the result is checked again. */
    return key.ptr != NULL && good_email(key) ? key : (struct slice){0};
}

bool contact_is_phone(struct slice text)
{
    if (text.len < 8 || text.len > 16 || text.ptr[0] != '+' || text.ptr[1] == '0')
        return false;
    for (size_t i = 1; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}
