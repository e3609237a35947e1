/* Text of a chat is mostly ASCII: eight bytes at a time while no high bit is set. A lead byte fixes
 * the range of the byte behind it, which is where overlong forms, surrogates and values past
 * U+10FFFF are refused; every later byte is 80..BF. */
#include "net/websocket_utf8.h"

static uint32_t expecting(uint32_t more, uint32_t least, uint32_t largest)
{
    return more | least << 8 | largest << 16;
}

/* The state after a lead byte of 80..FF; 0 when it cannot lead. */
static uint32_t after_lead(uint8_t lead)
{
    if (lead < 0xc2)
        return 0;
    if (lead < 0xe0)
        return expecting(1, 0x80, 0xbf);
    if (lead < 0xf0)
        return expecting(2, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf);
    if (lead < 0xf5)
        return expecting(3, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf);
    return 0;
}

bool ws_utf8_feed(uint32_t *state, struct slice piece)
{
    const uint8_t *p = (const uint8_t *)piece.ptr, *end = p + piece.len;
    uint32_t now = *state;
    while (p < end) {
        if (now == 0) {
            uint64_t eight;
            while (end - p >= 8 && (memcpy(&eight, p, 8), (eight & 0x8080808080808080u) == 0))
                p += 8;
            while (p < end && *p < 0x80)
                p++;
            if (p == end)
                break;
            now = after_lead(*p++);
            if (now == 0)
                return false;
            continue;
        }
        uint8_t byte = *p++;
        if (byte < (now >> 8 & 0xff) || byte > now >> 16)
            return false;
        uint32_t more = (now & 0xff) - 1;
        now = more != 0 ? expecting(more, 0x80, 0xbf) : 0;
    }
    *state = now;
    return true;
}
