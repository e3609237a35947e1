/* What counts as one emoji: the grammar of UTS #51, section 1.4.9, with the pictographs of
 * utf8proc (Unicode 15). Whether a font knows the sequence is not asked.
 *
 *   emoji  := flag | keycap | tone | joined
 *   flag   := two regional indicators
 *   keycap := (0-9 | # | *) U+FE0F? U+20E3
 *   joined := part (U+200D part)*
 *   part   := pictograph (U+FE0F | tone | tags)?
 *   tone   := U+1F3FB to U+1F3FF, of a skin
 */
#include <utf8proc.h>

#include "service/chat/chat_room.h"

enum {
    JOINER = 0x200d,
    KEYCAP = 0x20e3,
    EMOJI_STYLE = 0xfe0f,
    TONE_FIRST = 0x1f3fb,
    TONE_LAST = 0x1f3ff,
    TAG_FIRST = 0xe0020,
    TAG_LAST = 0xe007e,
    TAG_END = 0xe007f,
    POINTS_MAX = CHAT_EMOJI_BYTES_MAX,
};

/* Its code points, and a 0 behind the last one, which no rule takes. */
struct points {
    utf8proc_int32_t list[POINTS_MAX + 1];
};

static bool decode(struct slice text, struct points *ret_points)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text.ptr;
    utf8proc_ssize_t left = (utf8proc_ssize_t)text.len;
    size_t count = 0;
    if (text.len > CHAT_EMOJI_BYTES_MAX)
        return false;
    while (left > 0) {
        utf8proc_ssize_t len = utf8proc_iterate(at, left, &ret_points->list[count]);
        if (len <= 0 || ret_points->list[count++] == 0)
            return false;
        at += len;
        left -= len;
    }
    ret_points->list[count] = 0;
    return count > 0;
}

static bool between(utf8proc_int32_t c, utf8proc_int32_t first, utf8proc_int32_t last)
{
    return c >= first && c <= last;
}

static bool is_of(utf8proc_int32_t c, utf8proc_boundclass_t boundary)
{
    return utf8proc_get_property(c)->boundclass == boundary;
}

/* Each gives the point behind what it takes, or NULL. */
static const utf8proc_int32_t *take_flag(const utf8proc_int32_t *at)
{
    return is_of(at[0], UTF8PROC_BOUNDCLASS_REGIONAL_INDICATOR) &&
                   is_of(at[1], UTF8PROC_BOUNDCLASS_REGIONAL_INDICATOR)
               ? at + 2
               : NULL;
}

static const utf8proc_int32_t *take_keycap(const utf8proc_int32_t *at)
{
    if (!between(at[0], '0', '9') && at[0] != '#' && at[0] != '*')
        return NULL;
    at += at[1] == EMOJI_STYLE ? 2 : 1;
    return *at == KEYCAP ? at + 1 : NULL;
}

static const utf8proc_int32_t *take_tone(const utf8proc_int32_t *at)
{
    return between(*at, TONE_FIRST, TONE_LAST) ? at + 1 : NULL;
}

static const utf8proc_int32_t *take_tags(const utf8proc_int32_t *at)
{
    while (between(*at, TAG_FIRST, TAG_LAST))
        at++;
    return *at == TAG_END ? at + 1 : NULL;
}

static const utf8proc_int32_t *take_part(const utf8proc_int32_t *at)
{
    if (!is_of(*at, UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC))
        return NULL;
    at++;
    if (between(*at, TAG_FIRST, TAG_LAST))
        return take_tags(at);
    return *at == EMOJI_STYLE || take_tone(at) != NULL ? at + 1 : at;
}

static const utf8proc_int32_t *take_joined(const utf8proc_int32_t *at)
{
    at = take_part(at);
    while (at != NULL && *at == JOINER)
        at = take_part(at + 1);
    return at;
}

bool chat_emoji_valid(struct slice text)
{
    static const utf8proc_int32_t *(*const rules[])(const utf8proc_int32_t *) = {
        take_flag, take_keycap, take_tone, take_joined};
    struct points points;
    if (!decode(text, &points))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const utf8proc_int32_t *end = rules[i](points.list);
        if (end != NULL && *end == 0)
            return true;
    }
    return false;
}
