/* What counts as one emoji (utf8proc; Unicode 15). */
#include <utf8proc.h>

#include "service/chat/chat_room.h"

enum { KEYCAP = 0x20e3 };

static bool pictures(utf8proc_int32_t c)
{
    int boundary = utf8proc_get_property(c)->boundclass;
    return boundary == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC ||
           boundary == UTF8PROC_BOUNDCLASS_REGIONAL_INDICATOR || c == KEYCAP;
}

bool chat_emoji_valid(struct slice text)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text.ptr;
    utf8proc_ssize_t left = (utf8proc_ssize_t)text.len;
    utf8proc_int32_t before = -1, state = 0;
    bool picture = false;
    if (text.len > CHAT_EMOJI_BYTES_MAX)
        return false;
    while (left > 0) {
        utf8proc_int32_t c;
        utf8proc_ssize_t len = utf8proc_iterate(at, left, &c);
        if (len <= 0 || (before >= 0 && utf8proc_grapheme_break_stateful(before, c, &state)))
            return false;
        picture |= pictures(c);
        before = c;
        at += len;
        left -= len;
    }
    return picture;
}
