/* The scanner's quick ways against slow ones that go byte by byte: strings sixteen bytes at a time,
 * UTF-8 likewise, the writer's runs, and stepping over a value without a tree. */
#include "base/json_scan.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/schema.h"
#include "harness.h"

/* --- what a reader that goes byte by byte says ------------------------------------------------ */
/* Bytes of the character at p, 0 when it is none (RFC 3629 section 3): decoded, then judged. */
static size_t slow_step(const unsigned char *p, size_t left)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (len <= 1)
        return len;
    if (p[0] > 0xf7 || left < len)
        return 0;
    uint32_t code = p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < lowest[len] || code > 0x10ffff || surrogate ? 0 : len;
}

static long slow_hex(const unsigned char *p, size_t left)
{
    char digits[5] = "";
    if (left < 4)
        return -1;
    memcpy(digits, p, 4);
    return strspn(digits, "0123456789abcdefABCDEF") == 4 ? strtol(digits, NULL, 16) : -1;
}

/* Bytes of the escape at p, 0: it is none. */
static size_t slow_escape(const unsigned char *p, size_t left)
{
    if (p[1] != 'u')
        return p[1] != 0 && strchr("\"\\/bfnrt", p[1]) != NULL ? 2 : 0;
    long code = slow_hex(p + 2, left - 2);
    if (code < 0 || (code & 0xfc00) == 0xdc00)
        return 0;
    if ((code & 0xfc00) != 0xd800)
        return 6;
    bool low = left >= 12 && p[6] == '\\' && p[7] == 'u' &&
               (slow_hex(p + 8, left - 8) & 0xfffffc00) == 0xdc00;
    return low ? 12 : 0;
}

static void slow_refusal(const char *what, size_t at, char *ret_detail, size_t size)
{
    snprintf(ret_detail, size, "%s at byte %zu.", what, at);
}

/* What the reader has to say about a text that begins with a quote: "" for a string. */
static void slow_string(struct slice text, char *ret_detail, size_t size)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    size_t i = 1;
    while (i < text.len && p[i] != '"') {
        size_t step = p[i] == '\\' ? 2 : slow_step(p + i, text.len - i);
        if (p[i] < ' ') {
            slow_refusal("A string holds a control character that is not escaped", i, ret_detail,
                         size);
            return;
        }
        if (step == 0) {
            slow_refusal("A string holds invalid UTF-8", i, ret_detail, size);
            return;
        }
        i += step;
    }
    *ret_detail = 0;
    if (i >= text.len) {
        slow_refusal("A string is not closed", text.len, ret_detail, size);
        return;
    }
    for (size_t at = 1, step; at < i; at += step) {
        step = p[at] == '\\' ? slow_escape(p + at, i - at) : 1;
        if (step == 0) {
            slow_refusal(p[at + 1] == 'u' ? "A string holds a bad \\u escape"
                                          : "A string holds an escape that JSON does not have",
                         at, ret_detail, size);
            return;
        }
    }
    if (i + 1 < text.len)
        slow_refusal("Something stands behind the end of the JSON text", i + 1, ret_detail, size);
}

static void slow_write(struct buf *out, struct slice text)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    buf_char(out, '"');
    for (size_t i = 0, step; i < text.len; i += step) {
        const unsigned char *p = (const unsigned char *)text.ptr + i;
        const char *found = *p != 0 ? strchr(escaped, *p) : NULL;
        step = slow_step(p, text.len - i);
        if (found != NULL)
            buf_printf(out, "\\%c", letters[found - escaped]);
        else if (*p < ' ')
            buf_printf(out, "\\u%04x", (unsigned)*p);
        else if (step == 0)
            buf_lit(out, "\xef\xbf\xbd");
        else if (step == 3 && memcmp(p, "\xe2\x80\xa8", 3) == 0)
            buf_lit(out, "\\u2028");
        else if (step == 3 && memcmp(p, "\xe2\x80\xa9", 3) == 0)
            buf_lit(out, "\\u2029");
        else
            buf_append(out, p, step);
        step = step != 0 ? step : 1;
    }
    buf_char(out, '"');
}

/* --- both asked ------------------------------------------------------------------------------- */
static struct arena arena;
static struct error err, raw_err;

/* The tree reader and the one without a tree say the same, to the letter. */
static int check_both(struct slice text)
{
    struct json_value *v = NULL;
    struct slice raw = {0};
    struct json_scan tree = {text.ptr, text.ptr, text.ptr + text.len, &arena, &err, 0};
    struct json_scan without = {text.ptr, text.ptr, text.ptr + text.len, &arena, &raw_err, 0};
    if (arena.max_bytes == 0)
        arena_init(&arena, 8 << 20);
    arena_reset(&arena);
    error_init(&err);
    error_init(&raw_err);
    int rc = json_scan_value(&tree, &v), raw_rc = json_scan_raw(&without, &raw);
    if (rc != raw_rc || strcmp(err.detail, raw_err.detail) != 0)
        test_fail(__FILE__, __LINE__, "%.*s: %s, without a tree: %s", SLICE_FMT(text), err.detail,
                  raw_err.detail);
    else if (rc == 0 && (tree.at != without.at || v->raw.ptr != raw.ptr || v->raw.len != raw.len))
        test_fail(__FILE__, __LINE__, "%.*s: the value ends elsewhere", SLICE_FMT(text));
    else if (rc != 0)
        CHECK_STR(slice_str(raw_err.code), err.code);
    return rc;
}

/* On a copy of the exact size, so that the sanitizer sees a read before its start or behind its
 * end. */
static void check_string(struct slice text)
{
    char want[sizeof err.detail], *copy = xmalloc(text.len);
    memcpy(copy, text.ptr, text.len);
    struct slice exact = slice_of(copy, text.len);
    struct json_value *v;
    check_both(exact);
    error_init(&err);
    int rc = json_parse(exact, &arena, &v, &err);
    slow_string(exact, want, sizeof want);
    if ((rc == 0) != (want[0] == 0) || strcmp(err.detail, want) != 0)
        test_fail(__FILE__, __LINE__, "%.*s: \"%s\" instead of \"%s\"", SLICE_FMT(text), err.detail,
                  want);
    free(copy);
}

static void check_writer(struct slice text)
{
    struct buf out, want;
    buf_init(&out, 1 << 16);
    buf_init(&want, 1 << 16);
    char *copy = xmalloc(text.len + 1);
    memcpy(copy + 1, text.ptr, text.len);
    json_write_string(&out, slice_of(copy + 1, text.len));
    slow_write(&want, text);
    CHECK(buf_ok(&out) && slice_eq(buf_view(&out), buf_view(&want)));
    free(copy);
    buf_done(&out);
    buf_done(&want);
}

struct piece {
    const char *text;
    size_t len; /* 0: strlen(text) */
};

/* What may stand in a string and what may not. */
static const struct piece pieces[] = {
    {"a"},
    {"\\n"},
    {"\\\""},
    {"\\\\"},
    {"\\u00e9"},
    {"\\ud83d\\ude00"},
    {"\x7f"},
    {"\xc2\x80"},
    {"\xd0\x96"},
    {"\xdf\xbf"},
    {"\xe0\xa0\x80"},
    {"\xe2\x80\xa7"},
    {"\xe2\x80\xa8"},
    {"\xe2\x80\xa9"},
    {"\xe2\x82\xac"},
    {"\xed\x9f\xbf"},
    {"\xee\x80\x80"},
    {"\xef\xbf\xbf"},
    {"\xf0\x90\x80\x80"},
    {"\xf0\x9f\x98\x80"},
    {"\xf4\x8f\xbf\xbf"},
    {"\""},
    {"\\"},
    {"\\x"},
    {"\\u12"},
    {"\\ud83d"},
    {"\\ude00"},
    {"\\\x01"},
    {"\\\xd0\x96"},
    {"\\\xf0\x9f\x98\x80"},
    {"\0", 1},
    {"\x01"},
    {"\x1f"},
    {"\n"},
    {"\x80"},
    {"\xbf"},
    {"\xc0\x80"},
    {"\xc1\xbf"},
    {"\xc2"},
    {"\xd0"},
    {"\xd0\x96\x80"},
    {"\xd0\xd0\x96"},
    {"\xe0\x9f\xbf"},
    {"\xe2"},
    {"\xe2\x80"},
    {"\xe2\x82\xac\x80"},
    {"\xe2\xd0\x96"},
    {"\xed\xa0\x80"},
    {"\xed\xbf\xbf"},
    {"\xf0\x8f\xbf\xbf"},
    {"\xf0\x9f"},
    {"\xf0\x9f\x98"},
    {"\xf0\x9f\x98\x80\x80"},
    {"\xf4\x90\x80\x80"},
    {"\xf5\x80\x80\x80"},
    {"\xf8\x88\x80\x80\x80"},
    {"\xfe"},
    {"\xff"},
};

static void append(struct buf *out, const struct piece *piece)
{
    buf_append(out, piece->text, piece->len != 0 ? piece->len : strlen(piece->text));
}

/* Every piece at every place of a block, behind and before text of each width. */
TEST(every_piece_at_every_offset)
{
    static const char *const fillers[] = {"x", "\xd0\x96", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    struct buf text;
    buf_init(&text, 4096);
    for (size_t filler = 0; filler < ARRAY_LEN(fillers); filler++)
        for (size_t piece = 0; piece < ARRAY_LEN(pieces); piece++)
            for (size_t before = 0; before < 36; before++)
                for (size_t behind = 0; behind < 36; behind += behind < 3 ? 1 : 8) {
                    buf_clear(&text);
                    buf_char(&text, '"');
                    for (size_t i = 0; i < before % 4; i++)
                        buf_char(&text, 'a');
                    for (size_t i = 0; i < before / 4 * 2; i++)
                        buf_str(&text, fillers[filler]);
                    append(&text, &pieces[piece]);
                    for (size_t i = 0; i < behind; i++)
                        buf_str(&text, fillers[filler]);
                    check_writer(buf_view(&text));
                    buf_char(&text, '"');
                    check_string(buf_view(&text));
                }
    buf_done(&text);
}

/* Pieces one after the other, most of them such as may stand there; cut anywhere. */
TEST(random_strings)
{
    enum { VALID = 21 };
    struct buf text;
    buf_init(&text, 4096);
    for (int round = 0; round < 30000; round++) {
        buf_clear(&text);
        buf_char(&text, '"');
        size_t like = random_below(ARRAY_LEN(pieces));
        for (size_t count = random_below(60); count > 0; count--) {
            bool any = random_below(100) == 0;
            append(&text, &pieces[random_below(2) == 0 && like < VALID ? like
                                  : any ? random_below(ARRAY_LEN(pieces))
                                        : random_below(VALID)]);
        }
        check_writer(buf_view(&text));
        buf_char(&text, '"');
        if (random_below(4) == 0)
            text.len = 1 + random_below((uint32_t)text.len);
        check_string(buf_view(&text));
    }
    buf_done(&text);
}

/* --- values without a tree ---------------------------------------------------------------------
 */
static const char *const values[] = {
    "0",
    "-0",
    "-",
    "01",
    "-01",
    "1.",
    "1.5e",
    "1e+",
    "1e-7,",
    "0.0E+00]",
    "- 1",
    "9223372036854775808}",
    "1x",
    "true",
    "truer",
    "tru",
    "nul",
    "null ",
    "",
    " \t\r\n",
    " \n[ ] x",
    "[",
    "[ 1 , 2 ]",
    "[1,]",
    "[,]",
    "[1 2]",
    "[1}",
    "{",
    "{ } ",
    "{ \"a\" : 1 , \"b\" : [ ] } ,",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{\"a\":1]",
    "{a:1}",
    "{1:1}",
    "{\"a",
    "{\"a\\",
    "{\"a\nb\":1}",
    "{\"\xff\":1}",
    "{\"\":1,\"\":2}",
    "{\"\":1,\"a\":2,\"b\":{\"\":1,\"a\":2}}",
    "{\"a\":1,\"b\":2,\"a\":3}",
    "{\"a\":1,\"b\":2,\"a\":x}",
    "{\"a\":{\"a\":{\"a\":1}}}",
    "{\"a\":{\"b\":1,\"c\":2},\"c\":1,\"b\":2}",
    "{\"a\":{\"b\":1,\"c\":2},\"c\":1,\"c\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "{\"\\u0061\":1,\"a\":2}",
    "{\"\\u0061\":1,\"b\":2}",
    "{\"\\x\":1}",
    "[\"\\x\"]",
    "[\"\\u12\"]",
    "[\"a\\u0000b\"]",
    "[\"a\\",
    "\xef\xbb\xbf{}",
};

TEST(values_end_where_the_tree_ends)
{
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        check_both(slice_str(values[i]));
}

/* Around the number of keys that are kept, in one object and in several that are open at once. */
TEST(many_keys)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    for (int outer = 0; outer < 36; outer++)
        for (int inner = 0; inner < 36; inner++)
            for (int twin = -1; twin < inner; twin += 7) {
                buf_clear(&text);
                buf_char(&text, '{');
                for (int i = 0; i < outer; i++)
                    buf_printf(&text, "\"k%d\":%d,", i, i);
                buf_lit(&text, "\"inner\":{");
                for (int i = 0; i < inner; i++)
                    buf_printf(&text, "\"k%d\":[{\"k\":\"%d\"}],", i, i);
                buf_printf(&text, "\"k%d\":0},\"last\":0}", twin >= 0 ? twin : inner);
                CHECK_INT(check_both(buf_view(&text)), twin >= 0 ? FAIL_BAD_REQUEST : 0);
            }
    buf_done(&text);
}

static void nest(struct buf *out, int arrays, int objects)
{
    for (int i = 0; i < arrays; i++)
        buf_char(out, '[');
    for (int i = 0; i < objects; i++)
        buf_lit(out, "{\"a\":");
    buf_char(out, '1');
    for (int i = 0; i < objects; i++)
        buf_char(out, '}');
    for (int i = 0; i < arrays; i++)
        buf_char(out, ']');
}

/* The object around the value counts too. */
TEST(depth_is_counted_from_the_top)
{
    struct slice any;
    static const struct schema_field fields[] = {{"any", NULL, SCHEMA_RAW, 0, 0}};
    const struct schema schema = {.name = "Any",
                                  .size = sizeof any,
                                  .present_offset = -1,
                                  .fields = fields,
                                  .field_count = 1};
    for (int depth = 60; depth < 68; depth++)
        for (int objects = 0; objects <= depth; objects += 15) {
            struct buf text;
            buf_init(&text, 4096);
            buf_lit(&text, "{\"any\":");
            nest(&text, depth - objects, objects);
            check_both(slice_of(text.ptr + 7, text.len - 7));
            buf_char(&text, '}');
            error_init(&err);
            arena_reset(&arena);
            int rc = schema_decode(&schema, buf_view(&text), &arena, &any, &err);
            CHECK_INT(rc, depth < JSON_DEPTH_MAX ? 0 : FAIL_BAD_REQUEST);
            if (rc != 0)
                CHECK(strstr(err.detail, "nested more than 64 deep") != NULL);
            buf_done(&text);
        }
}

/* That it never fell back on the tree reader shows in an arena that gives nothing. */
TEST(a_simple_value_needs_no_memory)
{
    struct arena none;
    struct slice raw;
    struct buf text;
    arena_init(&none, 0);
    buf_init(&text, 1 << 16);
    buf_lit(&text, "{\"first\":0,\"list\":[");
    for (int i = 0; i < 100; i++)
        buf_printf(&text, "{\"first\":%d,\"b\":\"c\\n\\u00e9\\ud83d\\ude00\",\"d\":[null]},", i);
    nest(&text, 30, 30);
    buf_lit(&text, "],\"d\":true}");
    struct json_scan s = {text.ptr, text.ptr, text.ptr + text.len, &none, NULL, 0};
    CHECK_INT(json_scan_raw(&s, &raw), 0);
    CHECK(slice_eq(raw, buf_view(&text)) && none.chunk == NULL);
    buf_done(&text);
}

static void random_value(struct buf *out, int depth)
{
    static const char *const scalars[] = {"0",     "-12",     "3.5e-7",       "true",
                                          "false", "null",    "\"text\"",     "\"\"",
                                          "7",     "\"\\n\"", "\"\xd0\x96\"", "\" \\u0041\""};
    size_t kind = random_below(depth > 5 ? 2 : 5);
    if (kind <= 1) {
        buf_str(out, scalars[random_below(ARRAY_LEN(scalars))]);
        return;
    }
    bool object = kind > 2;
    buf_char(out, object ? '{' : '[');
    for (size_t i = 0, count = random_below(6); i < count; i++) {
        if (i != 0)
            buf_lit(out, ",");
        if (random_below(4) == 0)
            buf_char(out, ' ');
        if (object)
            buf_printf(out, "\"%.*s\":", (int)random_below(12), "0123456789abcdef" + i);
        random_value(out, depth + 1);
    }
    buf_char(out, object ? '}' : ']');
}

/* Whole ones, and ones of which a byte was changed. */
TEST(random_values)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int round = 0; round < 20000; round++) {
        buf_clear(&text);
        random_value(&text, 0);
        check_both(buf_view(&text));
        for (int i = 0; i < 4; i++) {
            char *byte = &text.ptr[random_below((uint32_t)text.len)];
            *byte = random_below(2) == 0 ? "\"\\{}[]:, 0-ae.\n\xd0"[random_below(17)] : (char)0xff;
            check_both(buf_view(&text));
        }
    }
    buf_done(&text);
}
