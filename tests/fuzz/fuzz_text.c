/* Any bytes as a time, an id, a number and UTF-8: what is accepted is formatted and parsed again to
 * the same value; the fast UTF-8 check agrees with a slow one of its own. */
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_time(struct slice text)
{
    int64_t ms, again;
    char out[TIME_TEXT_LEN + 1];
    if (!time_parse(text, &ms))
        return;
    time_format(ms, out);
    panic_if(!time_parse(slice_of(out, TIME_TEXT_LEN), &again), "own time refused: %s", out);
    /* An offset may lead out of the years 0001..9999; there the nearest end is written. */
    panic_if(again != ms && ms > -62135596800000 && ms < 253402300799999, "time changed: %s", out);
}

static void check_id(struct slice text)
{
    struct id id, again;
    char out[ID_TEXT_LEN + 1];
    if (!id_parse(text, &id))
        return;
    id_format(&id, out);
    panic_if(!slice_ieq(slice_of(out, ID_TEXT_LEN), text), "id changed: %s", out);
    panic_if(!id_parse(slice_of(out, ID_TEXT_LEN), &again) || !id_eq(&id, &again), "id changed");
}

static void check_number(struct slice text)
{
    int64_t value;
    struct buf out;
    buf_init(&out, 64);
    if (slice_to_i64(text, &value) && !slice_eq(text, SLICE("-0"))) {
        buf_i64(&out, value);
        panic_if(!slice_eq(buf_view(&out), text), "number changed");
    }
    buf_done(&out);
}

/* Decodes each sequence and looks at the code point. */
static bool slow_utf8_valid(struct slice text)
{
    const uint8_t *p = (const uint8_t *)text.ptr, *end = p + text.len;
    while (p < end) {
        int more = *p < 0x80 ? 0 : *p >> 5 == 6 ? 1 : *p >> 4 == 14 ? 2 : *p >> 3 == 30 ? 3 : -1;
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (more < 0 || end - p <= more)
            return false;
        uint32_t code = more == 0 ? *p : *p & (0x3fu >> more);
        for (int i = 1; i <= more; i++) {
            if (p[i] >> 6 != 2)
                return false;
            code = code << 6 | (p[i] & 0x3f);
        }
        if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return false;
        p += more + 1;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size);
    check_time(text);
    check_id(text);
    check_number(text);
    panic_if(utf8_valid(text) != slow_utf8_valid(text), "UTF-8 is judged otherwise");
    return 0;
}
