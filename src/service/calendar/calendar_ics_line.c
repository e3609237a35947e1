/* Content lines: escaping and folding. */
#include "base/clock.h"
#include "service/calendar/calendar_ics.h"

enum { LINE_OCTETS_MAX = 75 };

struct ics_line ics_begin(struct buf *out, const char *name_and_colon)
{
    struct ics_line line = {out, out->len};
    buf_str(out, name_and_colon);
    return line;
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Control characters have no place in a calendar; a line end is written "\n". */
void ics_text(struct ics_line *line, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n')
            continue;
        if (c == '\n' || c == '\r') {
            buf_lit(line->out, "\\n");
        } else if (c == '\\' || c == ';' || c == ',') {
            buf_char(line->out, '\\');
            buf_char(line->out, c);
        } else if (!is_control(c) || c == '\t') {
            buf_char(line->out, c);
        }
    }
}

/* A quote has no way to be written in there. */
void ics_parameter(struct ics_line *line, struct slice text)
{
    buf_char(line->out, '"');
    for (size_t i = 0; i < text.len; i++)
        if (!is_control(text.ptr[i]))
            buf_char(line->out, text.ptr[i] == '"' ? '\'' : text.ptr[i]);
    buf_char(line->out, '"');
}

void ics_local(struct ics_line *line, int64_t local_s)
{
    char t[TIME_TEXT_LEN + 1];
    time_format(local_s * 1000, t);
    buf_printf(line->out, "%.4s%.2s%.2sT%.2s%.2s%.2s", t, t + 5, t + 8, t + 11, t + 14, t + 17);
}

void ics_utc(struct ics_line *line, int64_t utc_s)
{
    ics_local(line, utc_s);
    buf_char(line->out, 'Z');
}

/* How many octets of the text go into a line that has room for max: whole characters only. */
static size_t fitting(struct slice text, size_t max)
{
    if (text.len <= max)
        return text.len;
    size_t len = max;
    while (len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return len > 0 ? len : max;
}

void ics_end(struct ics_line *line)
{
    struct buf *out = line->out;
    struct buf folded;
    if (out->failed)
        return;
    struct slice rest = slice_of(out->ptr + line->start, out->len - line->start);
    if (rest.len <= LINE_OCTETS_MAX) {
        buf_lit(out, "\r\n");
        return;
    }
    buf_init(&folded, rest.len * 2 + 16);
    for (size_t room = LINE_OCTETS_MAX; rest.len > 0; room = LINE_OCTETS_MAX - 1) {
        size_t len = fitting(rest, room);
        buf_append(&folded, rest.ptr, len);
        buf_str(&folded, rest.len > len ? "\r\n " : "\r\n");
        rest = slice_of(rest.ptr + len, rest.len - len);
    }
    out->len = line->start;
    if (buf_ok(&folded))
        buf_slice(out, buf_view(&folded));
    else
        out->failed = true;
    buf_done(&folded);
}

void ics_plain(struct buf *out, const char *line)
{
    buf_str(out, line);
    buf_lit(out, "\r\n");
}
