/* The reader against a table of its own: every class of the grammar of RFC 8259, accepted and
 * refused; then what it hands out; then the writer, alone and against the reader. */
#include "base/json.h"

#include <stdlib.h>

#include "base/random.h"
#include "harness.h"

struct text_case {
    const char *text;
    size_t len; /* 0: strlen(text) */
};

static struct slice case_text(const struct text_case *c)
{
    return slice_of(c->text, c->len != 0 ? c->len : strlen(c->text));
}

static int parse(struct slice text, struct arena *arena, struct json_value **ret_value,
                 struct error *err)
{
    error_init(err);
    return json_parse(text, arena, ret_value, err);
}

static const struct text_case accepted[] = {
    /* structure */
    {"[]"},
    {"{}"},
    {" [ ] "},
    {"\t\r\n {\n}\r\t "},
    {"[[]]"},
    {"[{}]"},
    {"{\"a\":[]}"},
    {"[1,2 , 3]"},
    {"[null,1,\"1\",{}]"},
    {"{\"a\":1,\"b\":{\"a\":2}}"},
    {"{\"\":0}"},
    {"{\"a\":\"a\",\"A\":\"a\"}"},
    {"[[1],[2]]"},
    {"{\"a\" : 1 , \"b\":2}"},
    /* scalars at the top */
    {"null"},
    {"true"},
    {"false"},
    {" true "},
    {"42"},
    {"-0.1"},
    {"\"\""},
    {"\"x\""},
    /* numbers */
    {"[0]"},
    {"[-0]"},
    {"[-1]"},
    {"[123]"},
    {"[0.5]"},
    {"[1e5]"},
    {"[1E5]"},
    {"[1e+5]"},
    {"[1e-5]"},
    {"[123.456e78]"},
    {"[0e1]"},
    {"[0e+1]"},
    {"[-0e-0]"},
    {"[20e1]"},
    {"[1.000]"},
    {"[9223372036854775807]"},
    {"[-9223372036854775808]"},
    {"[9223372036854775808]"},
    {"[1e400]"},
    {"[-1e-400]"},
    {"[0.00000000000000000000000000000000000001]"},
    {"[100000000000000000000000000000000000000000]"},
    /* strings */
    {"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"},
    {"[\"\\u0000\"]"},
    {"[\"\\u0041\\u00e9\\uFFFF\"]"},
    {"[\"\\uD83D\\uDE00\"]"},
    {"[\"\\ud834\\udd1e!\"]"},
    {"[\"\\uDBFF\\uDFFF\"]"},
    {"[\"\x7f\"]"},
    {"[\"/\"]"},
    {"[\"a/*b*/c//d\"]"},
    {"[\"\xc2\x80\"]"},
    {"[\"\xdf\xbf\"]"},
    {"[\"\xe0\xa0\x80\"]"},
    {"[\"\xed\x9f\xbf\"]"},
    {"[\"\xee\x80\x80\"]"},
    {"[\"\xef\xbf\xbf\"]"},
    {"[\"\xf0\x90\x80\x80\"]"},
    {"[\"\xf4\x8f\xbf\xbf\"]"},
    {"[\"\xe2\x80\xa8\xe2\x80\xa9\"]"},
    {"[\"\xef\xbb\xbf\"]"},
    {"{\"\\u0061\":1,\"b\":2}"},
    {"[\"\\\\u0000\"]"},
    {"\"a long plain text of more than eight bytes\""},
};

static const struct text_case refused[] = {
    /* nothing, or not JSON */
    {""},
    {" "},
    {"\n"},
    {"x"},
    {"nul"},
    {"nulL"},
    {"True"},
    {"truee"},
    {"tru"},
    {"fals"},
    {"NaN"},
    {"Infinity"},
    {"-Infinity"},
    {"undefined"},
    {"'a'"},
    {"<null>"},
    {"*"},
    {"\\"},
    {"[nul"},
    {"[tru"},
    {"[True]"},
    {"[NaN]"},
    {"[-NaN]"},
    {"[Inf]"},
    /* byte order mark, other white space, NUL */
    {"\xef\xbb\xbf{}"},
    {"\xef\xbb\xbf"},
    {"\xff\xfe[\0]\0", 6},
    {"[\f]"},
    {"[\v1]"},
    {"\xc2\xa0[]"},
    {"[\xe2\x81\xa0]"},
    {"\0", 1},
    {"[\0]", 3},
    {"123\0", 4},
    {"[]\0", 3},
    /* structure */
    {"["},
    {"]"},
    {"{"},
    {"}"},
    {"[1"},
    {"[1,"},
    {"[1,]"},
    {"[,1]"},
    {"[,]"},
    {"[1,,2]"},
    {"[1 2]"},
    {"[1 true]"},
    {"[1:2]"},
    {"[\"a\":1]"},
    {"[1}"},
    {"{]"},
    {"[}"},
    {"{\"a\":1]"},
    {"{\"a\"}"},
    {"{\"a\":}"},
    {"{\"a\":1,}"},
    {"{,\"a\":1}"},
    {"{\"a\":1,,\"b\":2}"},
    {"{\"a\" 1}"},
    {"{\"a\"::1}"},
    {"{\"a\",1}"},
    {"{a:1}"},
    {"{'a':1}"},
    {"{1:1}"},
    {"{null:1}"},
    {"{[]:1}"},
    {"{\"a\":1 \"b\":2}"},
    {"{\"a\":1;}"},
    {"{\"a\""},
    {"{\"a\":"},
    {"{\"a\":1"},
    {"{\"a\":1,"},
    {"[[]"},
    {"{{}}"},
    {"[1]]"},
    {"{}}"},
    {"[]["},
    {"1 2"},
    {"{}{}"},
    {"[]x"},
    {"[] \x01"},
    {"{} #"},
    {"[1] // a"},
    {"/*a*/[]"},
    {"[/**/1]"},
    {"\"a\"b"},
    {"\"a\" \"b\""},
    {"[\"a\",\n4\n,1,"},
    {"[3[4]]"},
    {"[\"\": 1]"},
    {"{\"a\":\"b\"}/**/"},
    /* numbers */
    {"+1"},
    {"-"},
    {"--1"},
    {"[-]"},
    {"[- 1]"},
    {"01"},
    {"-01"},
    {"00"},
    {"[-012]"},
    {"[1.]"},
    {"[.5]"},
    {"[-.5]"},
    {"[1.e1]"},
    {"[1e]"},
    {"[1e+]"},
    {"[1E-]"},
    {"[1ee2]"},
    {"[1e2.3]"},
    {"[1.2.3]"},
    {"[0x1]"},
    {"[1a]"},
    {"[1_000]"},
    {"[1,000.]"},
    {"[2.e-3]"},
    {"[0e]"},
    {"[0.e1]"},
    {"[-1x]"},
    {"[1+2]"},
    {"[++1]"},
    {"[0.1.2]"},
    {"[1e1e1]"},
    {"[\xef\xbc\x91]"},
    {"1e"},
    {"0."},
    /* strings */
    {"\""},
    {"\"a"},
    {"[\""},
    {"[\"a]"},
    {"\"\\\""},
    {"\"\\"},
    {"\"\\a\""},
    {"\"\\'\""},
    {"\"\\x41\""},
    {"\"\\u\""},
    {"\"\\u1\""},
    {"\"\\u12\""},
    {"\"\\u123\""},
    {"\"\\u123g\""},
    {"\"\\U0041\""},
    {"\"\\u 041\""},
    {"\"\\u-041\""},
    {"\"\\0\""},
    {"\"\\\n\""},
    {"\"\t\""},
    {"\"\n\""},
    {"\"\r\""},
    {"\"\x1f\""},
    {"\"a\0b\"", 5},
    {"\"12345678\x01\""},
    {"\"\\\xc3\xa9\""},
    /* lone halves of surrogate pairs */
    {"\"\\uD800\""},
    {"\"\\uDC00\""},
    {"\"\\uDFFF\""},
    {"\"\\uD800x\""},
    {"\"\\uD800\\n\""},
    {"\"\\uD800\\u0041\""},
    {"\"\\uD800\\uD800\""},
    {"\"\\uD800\\uE000\""},
    {"\"\\uDC00\\uD800\""},
    {"\"\\uD800\\u\""},
    {"\"\\uD800\\uDC0\""},
    {"\"\\uD83D\\uDE0g\""},
    /* UTF-8: stray, cut, overlong, surrogates, too large */
    {"\"\x80\""},
    {"\"\xbf\""},
    {"\"\xc3\""},
    {"\"\xc3(\""},
    {"\"\xc0\x80\""},
    {"\"\xc0\xaf\""},
    {"\"\xc1\xbf\""},
    {"\"\xe0\x80\x80\""},
    {"\"\xe0\x9f\xbf\""},
    {"\"\xe2\x82\""},
    {"\"\xe2(\xa1\""},
    {"\"\xe2\x82(\""},
    {"\"\xed\xa0\x80\""},
    {"\"\xed\xbf\xbf\""},
    {"\"\xf0\x80\x80\x80\""},
    {"\"\xf0\x8f\xbf\xbf\""},
    {"\"\xf0\x90\x80\""},
    {"\"\xf4\x90\x80\x80\""},
    {"\"\xf5\x80\x80\x80\""},
    {"\"\xf8\x88\x80\x80\x80\""},
    {"\"\xfe\""},
    {"\"\xff\""},
    {"\"\xe9\""},
    {"\"12345678\xff\""},
    {"\xe5"},
    {"[\xe5]"},
    {"[a\xe5]"},
    {"{\"\xb9\":\"0\",}"},
    {"\"\xf0\x9f\x98"},
};

TEST(what_the_grammar_has_is_accepted)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
        struct json_value *v;
        struct error err;
        if (parse(case_text(&accepted[i]), &arena, &v, &err) != 0)
            test_fail(__FILE__, __LINE__, "case %zu %s: %s", i, accepted[i].text, err.detail);
    }
    arena_done(&arena);
}

TEST(what_the_grammar_has_not_is_refused)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct json_value *v = NULL;
        struct error err;
        /* A copy of the exact size, so that the sanitizer sees a read behind the end. */
        struct slice text = case_text(&refused[i]);
        char *copy = xmalloc(text.len);
        memcpy(copy, text.ptr, text.len);
        int rc = parse(slice_of(copy, text.len), &arena, &v, &err);
        if (rc != FAIL_BAD_REQUEST || v != NULL)
            test_fail(__FILE__, __LINE__, "case %zu was accepted: %s", i, refused[i].text);
        else
            CHECK_STR(slice_str(err.code), "invalid_json");
        free(copy);
    }
    arena_done(&arena);
}

TEST(every_prefix_of_a_document_is_refused)
{
    static const char whole[] = "{\"a\":[1,-2.5e3,true,null,\"\\u00e9\\n\xc3\xa9\"],\"b\":{}}";
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t len = 0; len <= sizeof whole - 1; len++) {
        struct json_value *v;
        struct error err;
        int rc = parse(slice_of(whole, len), &arena, &v, &err);
        CHECK((rc == 0) == (len == sizeof whole - 1));
    }
    arena_done(&arena);
}

TEST(depth_64_is_the_last)
{
    char text[2 * 65];
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t depth = 64; depth <= 65; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        struct json_value *v;
        struct error err;
        CHECK((parse(slice_of(text, depth * 2), &arena, &v, &err) == 0) == (depth == 64));
    }
    struct json_value *v;
    struct error err;
    struct buf deep;
    buf_init(&deep, 1 << 20);
    for (int i = 0; i < 100000; i++)
        buf_lit(&deep, "{\"\":");
    CHECK_INT(parse(buf_view(&deep), &arena, &v, &err), FAIL_BAD_REQUEST);
    buf_done(&deep);
    arena_done(&arena);
}

TEST(duplicate_keys_are_refused_in_small_and_large_objects)
{
    struct arena arena;
    arena_init(&arena, 16 << 20);
    for (int count = 2; count < 3000; count += count < 50 ? 1 : 487) {
        for (int twin = -1; twin < count - 1; twin += count < 50 ? 1 : 211) {
            struct buf text;
            buf_init(&text, 1 << 20);
            for (int i = 0; i < count - 1; i++)
                buf_printf(&text, "%c\"k%d\":%d", i == 0 ? '{' : ',', i, i);
            if (twin < 0)
                buf_lit(&text, ",\"last\":0}");
            else
                buf_printf(&text, ",\"\\u006b%d\":0}", twin);
            struct json_value *v;
            struct error err;
            arena_reset(&arena);
            int rc = parse(buf_view(&text), &arena, &v, &err);
            CHECK_INT(rc, twin < 0 ? 0 : FAIL_BAD_REQUEST);
            if (rc != 0)
                CHECK_STR(slice_str(err.code), "duplicate_key");
            buf_done(&text);
        }
    }
    arena_done(&arena);
}

TEST(a_document_larger_than_the_arena_is_refused)
{
    struct arena arena;
    arena_init(&arena, 20000);
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_char(&text, '[');
    for (int i = 0; i < 1000; i++)
        buf_lit(&text, "1,");
    buf_lit(&text, "1]");
    struct json_value *v;
    struct error err;
    CHECK_INT(parse(buf_view(&text), &arena, &v, &err), FAIL_BAD_REQUEST);
    CHECK_STR(slice_str(err.code), "invalid_json");
    buf_done(&text);
    arena_done(&arena);
}

TEST(values_come_out_as_they_were_written)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct json_value *v;
    struct error err;
    CHECK_OK(parse(SLICE("{\"n\":-9223372036854775808,\"f\":9223372036854775808, \"x\":1.50 ,"
                         "\"s\":\"a\\u20ac\\ud83d\\ude00\\\\\\/\\u0000b\",\"a\":[1, [true ] ],"
                         "\"z\":null,\"i\":-0}"),
                   &arena, &v, &err),
             &err);
    CHECK_INT(v->type, JSON_OBJECT);
    CHECK_INT(v->count, 7);
    CHECK_INT(json_member(v, "n")->type, JSON_INT);
    CHECK(json_member(v, "n")->integer == INT64_MIN);
    CHECK_INT(json_member(v, "f")->type, JSON_NUMBER);
    CHECK_STR(json_member(v, "f")->text, "9223372036854775808");
    CHECK_STR(json_member(v, "x")->text, "1.50");
    CHECK_INT(json_member(v, "i")->type, JSON_INT);
    static const char unescaped[] = "a\xe2\x82\xac\xf0\x9f\x98\x80\\/\0b";
    CHECK(slice_eq(json_member_text(v, "s"), slice_of(unescaped, sizeof unescaped - 1)));
    const struct json_value *a = json_member(v, "a");
    CHECK_STR(a->raw, "[1, [true ] ]");
    CHECK_INT(a->count, 2);
    CHECK_STR(a->first->next->raw, "[true ]");
    CHECK(json_member(v, "absent") == NULL && json_member(NULL, "n") == NULL);
    CHECK(json_member(a, "n") == NULL);
    CHECK(json_member_text(v, "n").ptr == NULL);
    arena_done(&arena);
}

TEST(the_error_names_the_byte)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct json_value *v;
    struct error err;
    CHECK_INT(parse(SLICE("[1, 2, x]"), &arena, &v, &err), FAIL_BAD_REQUEST);
    CHECK(strstr(err.detail, "byte 7") != NULL);
    CHECK_INT(parse(SLICE("{\"a\":1, \"a\":2}"), &arena, &v, &err), FAIL_BAD_REQUEST);
    CHECK(strstr(err.detail, "\"a\"") != NULL && strstr(err.detail, "byte 8") != NULL);
    arena_done(&arena);
}

static void check_written(struct slice text, const char *want)
{
    struct buf out;
    buf_init(&out, 4096);
    json_write_string(&out, text);
    CHECK_STR(buf_view(&out), want);
    buf_done(&out);
}

TEST(a_member_before_a_fault_is_found)
{
    static const struct {
        const char *text, *id; /* NULL: absent */
    } cases[] = {
        {"{\"id\":5,\"data\":{\"a\":1,\"a\":2}}", "5"},
        {"{\"id\":5,\"data\":{\"a\":\"\\ud800\"}}", "5"},
        {" { \"op\" : [1, {}] , \"id\" : \"x\" , ", "\"x\""},
        {"{\"id\":5,\"op\":1,\"op\":2}", "5"},
        {"{\"id\":5,\"zz\":1}", "5"},
        {"{\"id\":5} x", "5"},
        {"{\"\\u0069d\":5,x", "5"},
        {"{\"id\":5,\"id\":6}", NULL},
        {"{\"id\":5,\"op\":1,\"\\u0069d\":5}", NULL},
        {"{\"data\":{\"a\":1,\"a\":2},\"id\":5}", NULL},
        {"{\"data\":{\"id\":5},x", NULL},
        {"{\"data\":\"\\\"id\\\":5,\",x", NULL},
        {"[{\"id\":5}]", NULL},
        {"\"id\":5}", NULL},
        {"{\"id\":5", NULL},
        {"{\"id\":5x,\"op\":1}", NULL},
        {"{\"id\":05}", NULL},
        {"{\"id\":\"5}", NULL},
        {"{\"id\" 5}", NULL},
        {"{}", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        arena_init(&arena, 1 << 16);
        struct slice id = json_member_before_fault(slice_str(cases[i].text), "id", &arena);
        CHECK((id.ptr == NULL) == (cases[i].id == NULL));
        if (id.ptr != NULL && cases[i].id != NULL)
            CHECK_STR(id, cases[i].id);
        arena_done(&arena);
    }
}

TEST(the_writer_escapes_what_must_be)
{
    check_written((struct slice){0}, "\"\"");
    check_written(SLICE("plain / text"), "\"plain / text\"");
    check_written(SLICE("\"\\\b\f\n\r\t\v"), "\"\\\"\\\\\\b\\f\\n\\r\\t\\u000b\"");
    check_written(SLICE("\x00\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"");
    check_written(SLICE("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
                  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    check_written(SLICE("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"),
                  "\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\"");
    check_written(SLICE("a\xff\xed\xa0\x80z\xc3"),
                  "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\"");
}

TEST(the_writer_needs_no_more_than_the_text_does)
{
    struct slice text = SLICE("0123456\n01\x01 345678\"\xe2\x80\xa8");
    struct buf whole;
    buf_init(&whole, 4096);
    json_write_string(&whole, text);
    for (size_t max = 0; max <= whole.len; max++) {
        struct buf out;
        buf_init(&out, max);
        json_write_string(&out, text);
        CHECK(buf_ok(&out) == (max == whole.len));
        CHECK(out.len <= max);
        buf_done(&out);
    }
    buf_done(&whole);
}

/* Valid UTF-8 of random characters, many of them special. */
static size_t random_text(char *out, size_t chars)
{
    static const char *const pieces[] = {"a",        "\"",           "\\",
                                         "\n",       "\x01",         "plain text here",
                                         "\xc3\xa9", "\xe2\x80\xa8", "\xf0\x9f\x98\x80",
                                         "/",        "\x7f"};
    size_t len = 0;
    for (size_t i = 0; i < chars; i++) {
        const char *piece = pieces[random_below(ARRAY_LEN(pieces))];
        memcpy(out + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return len;
}

TEST(what_is_written_is_read_back)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (int round = 0; round < 3000; round++) {
        char text[600];
        size_t len = random_text(text, random_below(40));
        if (round % 3 == 0) /* any bytes at all */
            random_bytes(text, len);
        struct buf out;
        buf_init(&out, 8192);
        json_write_string(&out, slice_of(text, len));
        struct json_value *v = NULL;
        struct error err;
        arena_reset(&arena);
        CHECK_OK(parse(buf_view(&out), &arena, &v, &err), &err);
        if (v != NULL && utf8_valid(slice_of(text, len)))
            CHECK(slice_eq(v->text, slice_of(text, len)));
        buf_done(&out);
    }
    arena_done(&arena);
}

TEST(utf8_is_judged_and_counted)
{
    CHECK(utf8_valid((struct slice){0}) && utf8_valid(SLICE("a\xf4\x8f\xbf\xbf\0")));
    CHECK(!utf8_valid(SLICE("abcdefgh\xf4\x90\x80\x80")) && !utf8_valid(SLICE("\xc3")));
    CHECK_INT(utf8_length(SLICE("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")), 4);
}
