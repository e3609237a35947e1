#include "engine/mailer.h"

#include <stdio.h>

#include "base/json.h"

const char *const mailer_channel_names[] = {"email", "sms", NULL};

/* --- checks ------------------------------------------------------------------------------------
 */

static bool one_line(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return false;
    return utf8_valid(text);
}

static bool good_text(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 && text.ptr[i] != '\n' && text.ptr[i] != '\t')
            return false;
    return utf8_valid(text);
}

static int refuse(struct error *err, const char *part)
{
    return error_set(err, FAIL_INVALID, "invalid_message", "The message has no good %s.", part);
}

int mailer_check(const struct mailer_message *m, struct error *err)
{
    if (m->to.len < 1 || m->to.len > MAILER_TO_MAX || !one_line(m->to) ||
        slice_find(m->to, ' ') >= 0)
        return refuse(err, "address");
    if (m->channel == MAILER_EMAIL &&
        (m->subject.len < 1 || m->subject.len > MAILER_SUBJECT_MAX || !one_line(m->subject)))
        return refuse(err, "subject");
    if (m->text.len < 1 || m->text.len > MAILER_TEXT_MAX || !good_text(m->text))
        return refuse(err, "text");
    return 0;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static void put_hex(unsigned char c, struct buf *out)
{
    static const char digits[] = "0123456789ABCDEF";
    buf_char(out, '=');
    buf_char(out, digits[c >> 4]);
    buf_char(out, digits[c & 15]);
}

static bool plain_subject(struct slice text)
{
    enum { LINE = 66 }; /* with "Subject: " within the 78 of RFC 5322, section 2.1.1 */
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80 ||
            (text.ptr[i] == '=' && i + 1 < text.len && text.ptr[i + 1] == '?'))
            return false;
    return text.len <= LINE;
}

/* RFC 2047, section 4.2 (3): what may stand for itself, also in a phrase. */
static bool in_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("!*+-/", c) != NULL);
}

static size_t character_len(struct slice text, size_t at)
{
    size_t len = 1;
    while (at + len < text.len && ((unsigned char)text.ptr[at + len] & 0xc0) == 0x80)
        len++;
    return len;
}

/* Words of at most 75 characters, none of which cuts a character in two (section 2 and 5). */
static void write_words(struct slice text, struct buf *out)
{
    enum { WORD = 75 - 12 }; /* without =?UTF-8?Q? and ?= */
    size_t room = 0;
    for (size_t at = 0, len; at < text.len; at += len) {
        len = character_len(text, at);
        size_t need =
            len == 1 && (in_word((unsigned char)text.ptr[at]) || text.ptr[at] == ' ') ? 1 : len * 3;
        if (need > room) {
            buf_str(out, at == 0 ? "=?UTF-8?Q?" : "?=\r\n =?UTF-8?Q?");
            room = WORD;
        }
        room -= need;
        for (size_t i = at; i < at + len; i++) {
            unsigned char c = (unsigned char)text.ptr[i];
            if (need > 1)
                put_hex(c, out);
            else
                buf_char(out, c == ' ' ? '_' : (char)c);
        }
    }
    buf_lit(out, "?=");
}

static bool seven_bits(struct slice text)
{
    enum { LINE = 78 };
    size_t line = 0;
    for (size_t i = 0; i < text.len; i++) {
        line = text.ptr[i] == '\n' ? 0 : line + 1;
        if ((unsigned char)text.ptr[i] >= 0x80 || line > LINE)
            return false;
    }
    return true;
}

static void write_lines(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\n')
            buf_lit(out, "\r\n");
        else
            buf_char(out, text.ptr[i]);
    if (text.ptr[text.len - 1] != '\n')
        buf_lit(out, "\r\n");
}

/* RFC 2045, section 6.7: lines of at most 76, blanks at their end encoded. */
static void write_quoted(struct slice text, struct buf *out)
{
    enum { LINE = 75 };
    size_t line = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '\n') {
            buf_lit(out, "\r\n");
            line = 0;
            continue;
        }
        bool last = i + 1 == text.len || text.ptr[i + 1] == '\n';
        bool plain = (c > ' ' && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !last);
        if (line + (plain ? 1 : 3) > LINE) {
            buf_lit(out, "=\r\n");
            line = 0;
        }
        line += plain ? 1 : 3;
        if (plain)
            buf_char(out, (char)c);
        else
            put_hex(c, out);
    }
    if (line > 0)
        buf_lit(out, "\r\n");
}

static void write_date(int64_t wall_ms, struct buf *out)
{
    char text[HTTP_DATE_LEN + 1]; /* the same form, but for the name of the zone */
    time_http_date(wall_ms, text);
    buf_printf(out, "Date: %.*s+0000\r\n", HTTP_DATE_LEN - 3, text);
}

void mailer_write_email(const struct mailer_message *m, struct slice from, struct slice id,
                        int64_t wall_ms, struct buf *out)
{
    struct slice domain = from, local;
    if (!slice_cut(&domain, '@', &local))
        domain = SLICE("localhost");
    bool plain = seven_bits(m->text);
    write_date(wall_ms, out);
    buf_printf(out, "From: <%.*s>\r\nTo: <%.*s>\r\n", SLICE_FMT(from), SLICE_FMT(m->to));
    buf_printf(out, "Message-ID: <%.*s@%.*s>\r\nSubject: ", SLICE_FMT(id), SLICE_FMT(domain));
    if (plain_subject(m->subject))
        buf_slice(out, m->subject);
    else
        write_words(m->subject, out);
    /* RFC 3834: nobody's holiday notice answers this. */
    buf_printf(out,
               "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
               "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n",
               plain ? "7bit" : "quoted-printable");
    if (plain)
        write_lines(m->text, out);
    else
        write_quoted(m->text, out);
}
