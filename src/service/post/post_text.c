/* What a text says beside its words: #tags (Unicode letters, marks and digits, lower case) and
 * @usernames. Either begins where no word goes on: "a#b" and "me@example.com" hold none. */
#include <stdlib.h>
#include <utf8proc.h>

#include "base/json.h"
#include "service/post/post_room.h"

enum { USERNAME_MIN = 3, USERNAME_MAX = 32 }; /* of usernames, as the auth room makes them */

/* --- letters -----------------------------------------------------------------------------------
 */

/* The next code point; 0 at the end. The text is valid UTF-8: schemas see to that. */
static size_t next_char(struct slice text, size_t at, utf8proc_int32_t *ret_char)
{
    *ret_char = 0;
    if (at >= text.len)
        return 0;
    utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + at,
                                            (utf8proc_ssize_t)(text.len - at), ret_char);
    if (len > 0)
        return (size_t)len;
    *ret_char = 0xfffd;
    return 1;
}

static bool in_word(utf8proc_int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return true;
    default: return false;
    }
}

static size_t word_length(struct slice text, size_t at)
{
    size_t begin = at, len;
    utf8proc_int32_t c;
    while ((len = next_char(text, at, &c)) > 0 && in_word(c))
        at += len;
    return at - begin;
}

/* --- tags --------------------------------------------------------------------------------------
 */

/* Composed first, so that one letter is one code point; then lower case, each by itself. */
static bool lower_case(struct slice text, struct arena *arena, struct slice *ret_lower)
{
    utf8proc_uint8_t *composed = NULL;
    utf8proc_ssize_t len =
        utf8proc_map((const utf8proc_uint8_t *)text.ptr, (utf8proc_ssize_t)text.len, &composed,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    char *lower = len > 0 ? arena_alloc(arena, (size_t)len * 4) : NULL;
    size_t out = 0, at = 0, step;
    utf8proc_int32_t c;
    if (lower != NULL) {
        struct slice source = slice_of((const char *)composed, (size_t)len);
        while ((step = next_char(source, at, &c)) > 0) {
            at += step;
            out +=
                (size_t)utf8proc_encode_char(utf8proc_tolower(c), (utf8proc_uint8_t *)lower + out);
        }
    }
    free(composed);
    *ret_lower = slice_of(lower, out);
    return lower != NULL;
}

bool post_tag_fold(struct slice given, struct arena *arena, struct slice *ret_tag)
{
    if (given.len == 0 || word_length(given, 0) != given.len ||
        utf8_length(given) > POST_TAG_CHARS_MAX || !lower_case(given, arena, ret_tag))
        return false;
    return utf8_length(*ret_tag) <= POST_TAG_CHARS_MAX;
}

static bool has(const struct slice *items, size_t count, struct slice wanted)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq(items[i], wanted))
            return true;
    return false;
}

static int add_tag(struct slice word, struct arena *arena, struct slice *tags, size_t *count,
                   struct error *err)
{
    struct slice tag;
    if (utf8_length(word) > POST_TAG_CHARS_MAX || !post_tag_fold(word, arena, &tag))
        return error_field(err, "text", "tag_too_long", "A tag has at most %d characters.",
                           POST_TAG_CHARS_MAX);
    if (has(tags, *count, tag))
        return 0;
    if (*count == POST_TAGS_MAX)
        return error_field(err, "text", "too_many_tags", "At most %d different tags.",
                           POST_TAGS_MAX);
    tags[(*count)++] = tag;
    return 0;
}

int post_text_tags(struct slice text, struct arena *arena, struct schema_list *ret_tags,
                   struct error *err)
{
    struct slice *tags = arena_array(arena, POST_TAGS_MAX, sizeof *tags);
    size_t count = 0, at = 0, step;
    bool word_before = false;
    utf8proc_int32_t c;
    int rc = tags != NULL ? 0 : error_set(err, FAIL_TOO_LARGE, "too_large", "No room for tags.");
    while (rc == 0 && (step = next_char(text, at, &c)) > 0) {
        at += step;
        size_t len = c == '#' && !word_before ? word_length(text, at) : 0;
        if (len > 0)
            rc = add_tag(slice_of(text.ptr + at, len), arena, tags, &count, err);
        at += len;
        word_before = len > 0 || in_word(c) || c == '&' || c == '/';
    }
    *ret_tags = (struct schema_list){tags, count};
    return rc;
}

/* --- names -------------------------------------------------------------------------------------
 */

static bool in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

/* A dot at the end ends the sentence, not the name. */
static size_t name_length(struct slice text, size_t at)
{
    size_t len = 0;
    while (at + len < text.len && in_name(text.ptr[at + len]))
        len++;
    while (len > 0 && text.ptr[at + len - 1] == '.')
        len--;
    return len;
}

static bool add_name(struct slice word, struct arena *arena, struct slice *names, size_t *count)
{
    struct slice name = arena_copy_lower(arena, word);
    if (name.ptr == NULL)
        return false;
    if (!has(names, *count, name))
        names[(*count)++] = name;
    return true;
}

size_t post_text_names(struct slice text, struct arena *arena,
                       struct slice ret_names[POST_NAMES_MAX])
{
    size_t count = 0, at = 0, step;
    bool word_before = false, room = true;
    utf8proc_int32_t c;
    while (room && count < POST_NAMES_MAX && (step = next_char(text, at, &c)) > 0) {
        at += step;
        size_t len = c == '@' && !word_before ? name_length(text, at) : 0;
        if (len >= USERNAME_MIN && len <= USERNAME_MAX)
            room = add_name(slice_of(text.ptr + at, len), arena, ret_names, &count);
        at += len;
        word_before = len > 0 || in_word(c) || c == '.' || c == '_' || c == '/';
    }
    return count;
}

/* --- checks ------------------------------------------------------------------------------------
 */

int post_check_text(struct slice text, bool may_be_empty, struct error *err)
{
    size_t chars = utf8_length(text);
    if (chars > POST_TEXT_CHARS_MAX)
        return error_field(err, "text", "too_long", "At most %d characters.", POST_TEXT_CHARS_MAX);
    if (may_be_empty)
        return 0;
    if (chars == 0)
        return error_field(err, "text", "required", "A post without media has a text.");
    for (size_t i = 0; i < text.len; i++)
        if (strchr(" \t\r\n", text.ptr[i]) == NULL)
            return 0;
    return error_field(err, "text", "blank", "A post without media has more than white space.");
}

int post_check_media(const struct schema_list *media_ids, struct error *err)
{
    const struct id *ids = media_ids->items;
    for (size_t i = 0; i < media_ids->count; i++)
        for (size_t j = 0; j < i; j++)
            if (id_eq(&ids[i], &ids[j]))
                return error_field(err, "media_ids", "duplicate", "The same media stands twice.");
    return 0;
}
