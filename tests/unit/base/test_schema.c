/* The schema tables: what decoding accepts and how it refuses, presence, null, encoding, the
 * description, and random values there and back. */
#include "base/schema.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/random.h"
#include "harness.h"

struct place {
    struct slice name;
    int64_t zoom;
    bool open;
};

static const struct schema_field place_fields[] = {
    {"name", "How it is called.", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NO_BLANK,
     SCHEMA_AT(struct place, name), 1, 20},
    {"zoom", NULL, SCHEMA_INT, 0, SCHEMA_AT(struct place, zoom), 1, 9, .fallback = 5},
    {"open", NULL, SCHEMA_BOOL, 0, SCHEMA_AT(struct place, open), .fallback = 1},
};
static SCHEMA_DEF(place_schema, struct place, "Place", "A place.", place_fields);

static const char *const color_names[] = {"red", "green", "blue", NULL};

struct thing {
    uint64_t present;
    bool flag;
    int64_t count;
    struct slice title, line, any;
    struct id id, owner;
    int64_t at, gone;
    int color, maybe_color;
    struct place place;
    const struct place *other;
    struct schema_list ids, names, places, colors, maybe;
};

#define AT(member) SCHEMA_AT(struct thing, member)
static const struct schema_field thing_fields[] = {
    {"flag", NULL, SCHEMA_BOOL, 0, AT(flag)},
    {"count", NULL, SCHEMA_INT, SCHEMA_REQUIRED, AT(count)},
    {"title", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, AT(title), 2, 8},
    {"line", NULL, SCHEMA_STRING, SCHEMA_ONE_LINE | SCHEMA_OMIT, AT(line)},
    {"any", NULL, SCHEMA_RAW, 0, AT(any)},
    {"id", NULL, SCHEMA_ID, 0, AT(id)},
    {"owner", NULL, SCHEMA_ID, SCHEMA_NULLABLE, AT(owner)},
    {"at", NULL, SCHEMA_TIME, 0, AT(at)},
    {"gone", NULL, SCHEMA_TIME, SCHEMA_NULLABLE | SCHEMA_OMIT, AT(gone)},
    {"color", NULL, SCHEMA_ENUM, 0, AT(color), .names = color_names, .fallback = 2},
    {"maybe_color", NULL, SCHEMA_ENUM, SCHEMA_NULLABLE, AT(maybe_color), .names = color_names},
    {"place", NULL, SCHEMA_OBJECT, 0, AT(place), .of = &place_schema},
    {"other", NULL, SCHEMA_OBJECT, SCHEMA_NULLABLE | SCHEMA_POINTER, AT(other),
     .of = &place_schema},
    {"ids", NULL, SCHEMA_LIST, 0, AT(ids), 1, 3, .element = SCHEMA_ID},
    {"names", NULL, SCHEMA_LIST, 0, AT(names), .element = SCHEMA_STRING, .element_min = 1,
     .element_max = 4},
    {"places", NULL, SCHEMA_LIST, 0, AT(places), .of = &place_schema},
    {"colors", NULL, SCHEMA_LIST, 0, AT(colors), .element = SCHEMA_ENUM, .names = color_names},
    {"maybe", NULL, SCHEMA_LIST, SCHEMA_NULLABLE, AT(maybe), .element = SCHEMA_INT},
};
static SCHEMA_DEF_PATCH(thing_schema, struct thing, "Thing", "A \"thing\".", thing_fields);

enum { FLAG, COUNT, TITLE, LINE, ANY, ID, OWNER, TIME, GONE, COLOR, MAYBE_COLOR, PLACE, OTHER };

static struct arena arena;
static struct error err;

static int decode(const char *json, struct thing *ret_thing)
{
    if (arena.max_bytes == 0)
        arena_init(&arena, 1 << 20);
    arena_reset(&arena);
    error_init(&err);
    return schema_decode(&thing_schema, slice_str(json), &arena, ret_thing, &err);
}

TEST(all_members_arrive)
{
    struct thing t;
    CHECK_OK(decode(" { \"flag\" : true,\"count\":-7,\"title\":\"\\u0041bc\",\"line\":\"l\","
                    "\"any\":{\"x\":[1, 2]},\"id\":\"0190B6F0-1234-7abc-8def-000000000001\","
                    "\"owner\":null,\"at\":\"2025-11-20T10:48:00.123Z\",\"color\":\"green\","
                    "\"maybe_color\":null,\"place\":{\"name\":\"here\",\"zoom\":9,\"open\":false},"
                    "\"other\":{\"name\":\"there\"},"
                    "\"ids\":[\"0190b6f0-1234-7abc-8def-000000000002\"],\"names\":[\"a\",\"bcd\"],"
                    "\"places\":[{\"name\":\"p\"},{\"name\":\"q\",\"zoom\":1}],"
                    "\"colors\":[\"blue\",\"red\"],\"maybe\":[]} ",
                    &t),
             &err);
    CHECK(t.flag && t.count == -7 && t.at == 1763635680123 && t.gone == 0);
    CHECK_STR(t.title, "Abc");
    CHECK_STR(t.any, "{\"x\":[1, 2]}");
    CHECK_INT(t.id.bytes[15], 1);
    CHECK(id_is_nil(&t.owner));
    CHECK_INT(t.color, 1);
    CHECK_INT(t.maybe_color, -1);
    CHECK_STR(t.place.name, "here");
    CHECK(t.place.zoom == 9 && !t.place.open);
    CHECK(t.other != NULL && t.other->zoom == 5 && t.other->open);
    CHECK_INT(t.ids.count, 1);
    CHECK_INT(((const struct id *)t.ids.items)[0].bytes[15], 2);
    CHECK_STR(((const struct slice *)t.names.items)[1], "bcd");
    CHECK_INT(t.places.count, 2);
    CHECK_INT(((const struct place *)t.places.items)[1].zoom, 1);
    CHECK_INT(((const int *)t.colors.items)[0], 2);
    CHECK(t.maybe.count == 0 && t.maybe.items != NULL);
    CHECK(schema_has(t.present, FLAG) && schema_has(t.present, OWNER));
    CHECK(!schema_has(t.present, GONE));
}

TEST(absent_members_leave_zeroes_or_the_fallback)
{
    struct thing t;
    memset(&t, 0xff, sizeof t);
    CHECK_OK(decode("{\"count\":1}", &t), &err);
    CHECK(t.present == 1u << COUNT && !t.flag && t.title.ptr == NULL && t.other == NULL);
    CHECK_INT(t.color, 2);
    CHECK_INT(t.maybe_color, 0);
    CHECK(t.ids.items == NULL && t.ids.count == 0 && t.place.name.ptr == NULL);
}

TEST(members_may_come_in_any_order)
{
    struct thing t;
    CHECK_OK(decode("{\"color\":\"red\",\"\\u0063ount\":3,\"flag\":true}", &t), &err);
    CHECK(t.count == 3 && t.flag && t.color == 0);
}

/* One member of each kind, in the table's order; some names begin as others do. */
static const char *const members[] = {"\"flag\":true",
                                      "\"count\":3",
                                      "\"title\":\"abc\"",
                                      "\"line\":\"l\"",
                                      "\"any\":{\"any\":0}",
                                      "\"id\":\"0190b6f0-1234-7abc-8def-000000000001\"",
                                      "\"owner\":null",
                                      "\"at\":\"2025-11-20T10:48:00.123Z\"",
                                      "\"gone\":null",
                                      "\"color\":\"green\"",
                                      "\"maybe_color\":\"blue\"",
                                      "\"place\":{\"open\":false,\"name\":\"p\"}",
                                      "\"other\":null",
                                      "\"ids\":[\"0190b6f0-1234-7abc-8def-000000000002\"]",
                                      "\"names\":[]",
                                      "\"places\":[]",
                                      "\"colors\":[]",
                                      "\"maybe\":null"};

static int decode_members(const size_t *order, size_t count, struct thing *ret_thing)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%c%s", i == 0 ? '{' : ',', members[order[i]]);
    buf_char(&text, '}');
    buf_char(&text, 0);
    int rc = decode(text.ptr, ret_thing);
    buf_done(&text);
    return rc;
}

TEST(members_in_every_order_and_twice)
{
    for (int round = 0; round < 3000; round++) {
        size_t order[ARRAY_LEN(members) + 1], count = ARRAY_LEN(members);
        for (size_t i = 0; i < count; i++)
            order[i] = i;
        for (size_t i = count; i > 1 && round > 0; i--) {
            size_t other = random_below(i), kept = order[other];
            order[other] = order[i - 1];
            order[i - 1] = kept;
        }
        struct thing t;
        CHECK_OK(decode_members(order, count, &t), &err);
        CHECK(t.present == (1ULL << count) - 1 && t.count == 3 && t.color == 1);
        CHECK(t.maybe_color == 2 && t.ids.count == 1 && t.id.bytes[15] == 1 && !t.place.open);
        size_t second = 1 + random_below(count);
        memmove(order + second + 1, order + second, (count - second) * sizeof order[0]);
        order[second] = order[random_below(second)];
        CHECK_INT(decode_members(order, count + 1, &t), FAIL_BAD_REQUEST);
        CHECK_STR(slice_str(err.code), "duplicate_key");
    }
}

/* A name cut, with a letter more, or not closed is another one or none. */
TEST(names_are_compared_to_their_end)
{
    static const struct {
        const char *text, *code;
    } keys[] = {
        {"{\"coun\":1}", "unknown_field"},
        {"{\"countt\":1}", "unknown_field"},
        {"{\"count\\u0000\":1}", "unknown_field"},
        {"{\"count\\\":1}", "invalid_json"},
        {"{\"count", "invalid_json"},
        {"{\"coun", "invalid_json"},
        {"{\"count\"", "invalid_json"},
        {"{\"count\xff\":1}", "invalid_json"},
        {"{\"count\x01\":1}", "invalid_json"},
        {"{\"", "invalid_json"},
        {"{", "invalid_json"},
        {"{\"maybe_\":1}", "unknown_field"},
        {"{\"count\":1,\"\\u0063ount\":1}", "duplicate_key"},
        {"{\"\\u0063ount\":1,\"count\":1}", "duplicate_key"},
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct thing t;
        size_t len = strlen(keys[i].text);
        char *copy = xmalloc(len);
        memcpy(copy, keys[i].text, len);
        arena_reset(&arena);
        error_init(&err);
        CHECK_INT(schema_decode(&thing_schema, slice_of(copy, len), &arena, &t, &err),
                  FAIL_BAD_REQUEST);
        CHECK_STR(slice_str(err.code), keys[i].code);
        free(copy);
    }
}

struct wrong {
    const char *json, *field, *code;
};

static const struct wrong wrong_fields[] = {
    {"{}", "count", "required"},
    {"{\"count\":null}", "count", "wrong_type"},
    {"[]", "", "wrong_type"},
    {" null ", "", "wrong_type"},
    {"7", "", "wrong_type"},
    {"{\"count\":\"1\"}", "count", "wrong_type"},
    {"{\"count\":1.5}", "count", "wrong_type"},
    {"{\"count\":1e3}", "count", "wrong_type"},
    {"{\"count\":true}", "count", "wrong_type"},
    {"{\"count\":[1,{\"a\":2}]}", "count", "wrong_type"},
    {"{\"count\":9223372036854775808}", "count", "too_large"},
    {"{\"count\":-9223372036854775809}", "count", "too_small"},
    {"{\"count\":1,\"flag\":1}", "flag", "wrong_type"},
    {"{\"count\":1,\"flag\":null}", "flag", "wrong_type"},
    {"{\"count\":1,\"title\":\"a\"}", "title", "too_short"},
    {"{\"count\":1,\"title\":\"123456789\"}", "title", "too_long"},
    {"{\"count\":1,\"title\":\"a\\u0000b\"}", "title", "control_character"},
    {"{\"count\":1,\"title\":{}}", "title", "wrong_type"},
    {"{\"count\":1,\"line\":\"a\\nb\"}", "line", "control_character"},
    {"{\"count\":1,\"line\":\"a\xc2\x85\"}", "line", "control_character"},
    {"{\"count\":1,\"line\":\"a\\u2028\"}", "line", "control_character"},
    {"{\"count\":1,\"line\":null}", "line", "wrong_type"},
    {"{\"count\":1,\"id\":\"0190b6f0-1234-7abc-8def-00000000000\"}", "id", "invalid_id"},
    {"{\"count\":1,\"id\":7}", "id", "wrong_type"},
    {"{\"count\":1,\"id\":null}", "id", "wrong_type"},
    {"{\"count\":1,\"at\":\"yesterday\"}", "at", "invalid_time"},
    {"{\"count\":1,\"at\":1763635680123}", "at", "wrong_type"},
    {"{\"count\":1,\"color\":\"pink\"}", "color", "not_allowed"},
    {"{\"count\":1,\"color\":\"Red\"}", "color", "not_allowed"},
    {"{\"count\":1,\"color\":null}", "color", "wrong_type"},
    {"{\"count\":1,\"place\":[]}", "place", "wrong_type"},
    {"{\"count\":1,\"place\":null}", "place", "wrong_type"},
    {"{\"count\":1,\"place\":{}}", "place.name", "required"},
    {"{\"count\":1,\"place\":{\"name\":\" \\u00a0\\t\"}}", "place.name", "blank"},
    {"{\"count\":1,\"place\":{\"name\":\"x\",\"zoom\":0}}", "place.zoom", "too_small"},
    {"{\"count\":1,\"other\":{\"name\":\"x\",\"zoom\":10}}", "other.zoom", "too_large"},
    {"{\"count\":1,\"ids\":[]}", "ids", "too_few"},
    {"{\"count\":1,\"ids\":null}", "ids", "wrong_type"},
    {"{\"count\":1,\"ids\":[\"x\"]}", "ids[0]", "invalid_id"},
    {"{\"count\":1,\"names\":[\"a\",\"\"]}", "names[1]", "too_short"},
    {"{\"count\":1,\"names\":[\"a\",\"b\",\"12345\"]}", "names[2]", "too_long"},
    {"{\"count\":1,\"names\":[null]}", "names[0]", "wrong_type"},
    {"{\"count\":1,\"places\":[{\"name\":\"a\"},{\"zoom\":1}]}", "places[1].name", "required"},
    {"{\"count\":1,\"places\":[1]}", "places[0]", "wrong_type"},
    {"{\"count\":1,\"colors\":[\"blue\",\"none\"]}", "colors[1]", "not_allowed"},
};

TEST(wrong_fields_are_named_with_their_code)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong_fields); i++) {
        const struct wrong *w = &wrong_fields[i];
        struct thing t;
        CHECK_INT(decode(w->json, &t), FAIL_INVALID);
        CHECK_STR(slice_str(err.code), "invalid_fields");
        if (err.field_count != 1 || strcmp(err.fields[0].field, w->field) != 0 ||
            strcmp(err.fields[0].code, w->code) != 0)
            test_fail(__FILE__, __LINE__, "%s: %u errors, %s %s", w->json, err.field_count,
                      err.fields[0].field, err.fields[0].code);
    }
}

TEST(too_many_elements_are_refused_once)
{
    struct thing t;
    const char *id = "\"0190b6f0-1234-7abc-8def-000000000002\"";
    struct buf json;
    buf_init(&json, 1 << 16);
    buf_printf(&json, "{\"count\":1,\"ids\":[%s,%s,%s,%s,7,{}]}", id, id, id, id);
    buf_char(&json, 0);
    CHECK_INT(decode(json.ptr, &t), FAIL_INVALID);
    CHECK_INT(err.field_count, 1);
    CHECK_STR(slice_str(err.fields[0].code), "too_many");
    buf_clear(&json);
    buf_lit(&json, "{\"count\":1,\"maybe\":[0");
    for (int i = 0; i < 1000; i++)
        buf_lit(&json, ",0");
    buf_lit(&json, "]}");
    buf_char(&json, 0);
    CHECK_INT(decode(json.ptr, &t), FAIL_INVALID);
    CHECK_STR(slice_str(err.fields[0].code), "too_many");
    buf_done(&json);
}

TEST(all_wrong_fields_are_collected_up_to_the_cap)
{
    struct thing t;
    CHECK_INT(decode("{\"flag\":0,\"title\":\"\",\"id\":\"\",\"color\":\"\"}", &t), FAIL_INVALID);
    CHECK_INT(err.field_count, 5);
    CHECK(!err.fields_cut);
    struct buf json;
    buf_init(&json, 1 << 16);
    buf_lit(&json, "{\"count\":1,\"names\":[1");
    for (int i = 0; i < 20; i++)
        buf_lit(&json, ",1");
    buf_lit(&json, "]}");
    buf_char(&json, 0);
    CHECK_INT(decode(json.ptr, &t), FAIL_INVALID);
    CHECK_INT(err.field_count, ERROR_FIELDS_MAX);
    CHECK(err.fields_cut);
    buf_done(&json);
}

static const struct wrong malformed[] = {
    {"", "", "invalid_json"},
    {"[1", "", "invalid_json"},
    {"nul", "", "invalid_json"},
    {"{\"count\":1", "", "invalid_json"},
    {"{\"count\":1}x", "", "invalid_json"},
    {"{\"count\":1,}", "", "invalid_json"},
    {"{\"count\" 1}", "", "invalid_json"},
    {"{count:1}", "", "invalid_json"},
    {"{\"count\":01}", "", "invalid_json"},
    {"{\"flag\":7,\"count\":1]", "", "invalid_json"},
    {"{\"flag\":tru}", "", "invalid_json"},
    {"{\"title\":\"\xff\"}", "", "invalid_json"},
    {"{\"any\":[1,}", "", "invalid_json"},
    {"{\"ids\":[", "", "invalid_json"},
    {"{\"owner\":nul}", "", "invalid_json"},
    {"{\"count\":1,\"flag\":true,\"count\":2}", "\"count\"", "duplicate_key"},
    {"{\"count\":1,\"c\\u006funt\":2}", "\"count\"", "duplicate_key"},
    {"{\"any\":{\"a\":1,\"a\":2}}", "\"a\"", "duplicate_key"},
    {"{\"place\":{\"name\":\"a\",\"name\":\"b\"}}", "\"name\"", "duplicate_key"},
    {"{\"flag\":7,\"cuont\":1}", "\"cuont\". Did you mean \"count\"?", "unknown_field"},
    {"{\"Count\":1}", "Did you mean \"count\"?", "unknown_field"},
    {"{\"nothing_like_it\":1}", "\"nothing_like_it\".", "unknown_field"},
    {"{\"place\":{\"nane\":1}}", "in place. Did you mean \"name\"?", "unknown_field"},
    {"{\"\":1}", "\"\"", "unknown_field"},
    {"{\"count\\u0000\":1}", "count", "unknown_field"},
};

TEST(malformed_text_and_unknown_keys_are_400)
{
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
        struct thing t;
        CHECK_INT(decode(malformed[i].json, &t), FAIL_BAD_REQUEST);
        CHECK_STR(slice_str(err.code), malformed[i].code);
        CHECK_INT(err.field_count, 0);
        if (strstr(err.detail, malformed[i].field) == NULL)
            test_fail(__FILE__, __LINE__, "%s: %s", malformed[i].json, err.detail);
    }
}

TEST(a_missing_error_record_is_allowed)
{
    struct thing t;
    arena_reset(&arena);
    CHECK_INT(schema_decode(&thing_schema, SLICE("{}"), &arena, &t, NULL), FAIL_INVALID);
    CHECK_INT(schema_decode(&thing_schema, SLICE("{\"x\":1}"), &arena, &t, NULL), FAIL_BAD_REQUEST);
    CHECK_INT(schema_decode(&thing_schema, SLICE("{"), &arena, &t, NULL), FAIL_BAD_REQUEST);
}

static int query(const char *text, struct thing *ret_thing)
{
    if (arena.max_bytes == 0)
        arena_init(&arena, 1 << 20);
    arena_reset(&arena);
    error_init(&err);
    return schema_decode_query(&thing_schema, slice_str(text), &arena, ret_thing, &err);
}

TEST(queries_are_decoded_by_the_same_rules)
{
    struct thing t;
    CHECK_OK(query("count=12&flag=true&title=a%20b+c%2B&at=2025-11-20T10%3A48%3A00.123Z&"
                   "color=blue&colors=red%2Cgreen,blue&names=&&id=0190b6f0-1234-7abc-8def-"
                   "000000000001",
                   &t),
             &err);
    CHECK(t.count == 12 && t.flag && t.at == 1763635680123 && t.color == 2);
    CHECK_STR(t.title, "a b c+");
    CHECK_INT(t.colors.count, 3);
    CHECK_INT(((const int *)t.colors.items)[1], 1);
    CHECK_INT(t.names.count, 0);
    CHECK_INT(t.id.bytes[15], 1);
    CHECK(schema_has(t.present, TITLE) && !schema_has(t.present, OWNER));
}

static const struct wrong wrong_queries[] = {
    {"", "count", "required"},
    {"count", "count", "wrong_type"},
    {"count=", "count", "wrong_type"},
    {"count=1.0", "count", "wrong_type"},
    {"count=01", "count", "wrong_type"},
    {"count=-", "count", "wrong_type"},
    {"count=9223372036854775808", "count", "too_large"},
    {"count=-9223372036854775809", "count", "too_small"},
    {"count=1&flag=yes", "flag", "wrong_type"},
    {"count=1&title=a", "title", "too_short"},
    {"count=1&names=a,,b", "names[1]", "too_short"},
    {"count=1&ids=a", "ids[0]", "invalid_id"},
    {"count=1&ids=", "ids", "too_few"},
};
static const struct wrong malformed_queries[] = {
    {"count=%", "", "invalid_query"},         {"count=%2", "", "invalid_query"},
    {"count=%zz", "", "invalid_query"},       {"title=%ff%fe", "", "invalid_query"},
    {"title=\xc3", "", "invalid_query"},      {"count=1&count=1", "count", "duplicate_key"},
    {"cout=1", "\"count\"", "unknown_field"}, {"=1", "\"\"", "unknown_field"},
    {"%zz=1", "", "invalid_query"},
};

TEST(wrong_queries_are_refused)
{
    struct thing t;
    for (size_t i = 0; i < ARRAY_LEN(wrong_queries); i++) {
        const struct wrong *w = &wrong_queries[i];
        CHECK_INT(query(w->json, &t), FAIL_INVALID);
        CHECK_INT(err.field_count, 1);
        CHECK_STR(slice_str(err.fields[0].field), w->field);
        CHECK_STR(slice_str(err.fields[0].code), w->code);
    }
    for (size_t i = 0; i < ARRAY_LEN(malformed_queries); i++) {
        CHECK_INT(query(malformed_queries[i].json, &t), FAIL_BAD_REQUEST);
        CHECK_STR(slice_str(err.code), malformed_queries[i].code);
        CHECK(strstr(err.detail, malformed_queries[i].field) != NULL);
    }
}

static void check_encoded(const struct thing *t, const char *want)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    schema_encode(&thing_schema, t, &out);
    CHECK(buf_ok(&out));
    CHECK_STR(buf_view(&out), want);
    buf_done(&out);
}

TEST(nothing_is_encoded_as_null_or_left_out)
{
    struct thing t = {.maybe_color = -1};
    check_encoded(&t, "{\"flag\":false,\"count\":0,\"title\":null,\"any\":null,"
                      "\"id\":\"00000000-0000-0000-0000-000000000000\",\"owner\":null,"
                      "\"at\":\"1970-01-01T00:00:00.000Z\",\"color\":\"red\",\"maybe_color\":null,"
                      "\"place\":{\"name\":\"\",\"zoom\":0,\"open\":false},\"other\":null,"
                      "\"ids\":[],\"names\":[],\"places\":[],\"colors\":[],\"maybe\":null}");
}

TEST(a_full_value_is_encoded)
{
    struct place place = {SLICE("x\"y"), INT64_MIN, true};
    int colors[] = {2, 0};
    int64_t numbers[] = {INT64_MAX, -1, 0};
    struct thing t = {.flag = true,
                      .count = 1234567890123,
                      .title = SLICE("t"),
                      .line = SLICE("l"),
                      .any = SLICE("[1]"),
                      .at = 1763635680123,
                      .gone = 1,
                      .color = 1,
                      .place = place,
                      .other = &place,
                      .places = {&place, 1},
                      .colors = {colors, 2},
                      .maybe = {numbers, 3}};
    memset(t.id.bytes, 0xa9, 16);
    check_encoded(
        &t, "{\"flag\":true,\"count\":1234567890123,\"title\":\"t\",\"line\":\"l\",\"any\":[1],"
            "\"id\":\"a9a9a9a9-a9a9-a9a9-a9a9-a9a9a9a9a9a9\",\"owner\":null,"
            "\"at\":\"2025-11-20T10:48:00.123Z\",\"gone\":\"1970-01-01T00:00:00.001Z\","
            "\"color\":\"green\",\"maybe_color\":\"red\","
            "\"place\":{\"name\":\"x\\\"y\",\"zoom\":-9223372036854775808,\"open\":true},"
            "\"other\":{\"name\":\"x\\\"y\",\"zoom\":-9223372036854775808,\"open\":true},"
            "\"ids\":[],\"names\":[],"
            "\"places\":[{\"name\":\"x\\\"y\",\"zoom\":-9223372036854775808,\"open\":true}],"
            "\"colors\":[\"blue\",\"red\"],\"maybe\":[9223372036854775807,-1,0]}");
}

TEST(encoding_past_the_cap_fails_and_never_writes_past_it)
{
    struct place place = {SLICE("a longer name \n than plain"), 3, true};
    for (size_t max = 0; max < 140; max++) {
        struct buf out;
        buf_init(&out, max);
        schema_encode(&place_schema, &place, &out);
        CHECK(out.len <= max);
        CHECK(!buf_ok(&out) || out.ptr[out.len - 1] == '}');
        buf_done(&out);
    }
}

static void check_description(const struct schema *schema, const char *want)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    schema_describe(schema, &out);
    CHECK_STR(buf_view(&out), want);
    buf_done(&out);
}

TEST(the_description_says_what_the_table_says)
{
    check_description(&place_schema,
                      "{\"type\":\"object\",\"description\":\"A place.\",\"properties\":{"
                      "\"name\":{\"type\":\"string\",\"minLength\":1,\"x-min-bytes\":1,"
                      "\"maxLength\":20,\"x-max-bytes\":20,\"description\":\"How it is called.\"},"
                      "\"zoom\":{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":1,"
                      "\"maximum\":9,\"default\":5},"
                      "\"open\":{\"type\":\"boolean\",\"default\":true}},"
                      "\"required\":[\"name\"],\"additionalProperties\":false}");
}

TEST(bounds_in_characters_are_told_in_characters)
{
    static const struct schema_field fields[] = {
        {"title", NULL, SCHEMA_STRING, SCHEMA_CHARACTERS, 0, .min = 1, .max = 200},
    };
    SCHEMA_DEF(titled_schema, struct slice, "Titled", "Has a title.", fields);
    check_description(&titled_schema,
                      "{\"type\":\"object\",\"description\":\"Has a title.\",\"properties\":{"
                      "\"title\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200}},"
                      "\"additionalProperties\":false}");
}

struct grown {
    bool old, added;
};
static const struct schema_field grown_fields[] = {
    {"old", NULL, SCHEMA_BOOL, SCHEMA_REQUIRED, SCHEMA_AT(struct grown, old)},
    {"added", NULL, SCHEMA_BOOL, SCHEMA_ADDED, SCHEMA_AT(struct grown, added)},
};
SCHEMA_DEF(grown_schema, struct grown, "Grown", NULL, grown_fields);

TEST(a_field_that_was_added_may_be_missing_in_what_is_older)
{
    struct grown grown = {.added = true};
    error_init(&err);
    CHECK_OK(schema_decode(&grown_schema, SLICE("{\"old\":true}"), &arena, &grown, &err), &err);
    CHECK(grown.old && !grown.added);
    CHECK(schema_decode(&grown_schema, SLICE("{\"added\":true}"), &arena, &grown, &err) < 0);
    check_description(&grown_schema,
                      "{\"type\":\"object\",\"properties\":{\"old\":{\"type\":\"boolean\"},"
                      "\"added\":{\"type\":\"boolean\"}},"
                      "\"required\":[\"old\",\"added\"],\"additionalProperties\":false}");
}

static const struct json_value *property(const struct json_value *description, const char *name)
{
    return json_member(json_member(description, "properties"), name);
}

TEST(the_description_is_json_with_every_kind_of_field)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    schema_describe(&thing_schema, &out);
    struct json_value *d;
    error_init(&err);
    arena_reset(&arena);
    CHECK_OK(json_parse(buf_view(&out), &arena, &d, &err), &err);
    CHECK_STR(json_member_text(d, "description"), "A \"thing\".");
    CHECK_INT(json_member(d, "properties")->count, ARRAY_LEN(thing_fields));
    CHECK_STR(json_member(property(d, "title"), "type")->raw, "[\"string\",\"null\"]");
    CHECK_STR(json_member_text(property(d, "id"), "format"), "uuid");
    CHECK_STR(json_member_text(property(d, "at"), "format"), "date-time");
    CHECK_STR(json_member(property(d, "color"), "enum")->raw, "[\"red\",\"green\",\"blue\"]");
    CHECK_STR(json_member_text(property(d, "color"), "default"), "blue");
    CHECK_STR(json_member(property(d, "maybe_color"), "enum")->raw,
              "[\"red\",\"green\",\"blue\",null]");
    CHECK_STR(json_member_text(property(d, "place"), "$ref"), "#/components/schemas/Place");
    CHECK_STR(json_member(property(d, "other"), "anyOf")->raw,
              "[{\"$ref\":\"#/components/schemas/Place\"},{\"type\":\"null\"}]");
    CHECK_STR(json_member(property(d, "ids"), "items")->raw,
              "{\"type\":\"string\",\"format\":\"uuid\"}");
    CHECK_INT(json_member(property(d, "ids"), "maxItems")->integer, 3);
    buf_done(&out);
}

struct reply {
    int64_t to;
};
static const struct schema_field reply_fields[] = {
    {"to", NULL, SCHEMA_INT, SCHEMA_NULLABLE, SCHEMA_AT(struct reply, to), 1, 1000},
};
static SCHEMA_DEF(reply_schema, struct reply, "Reply", NULL, reply_fields);

TEST(a_nullable_integer_is_null_at_zero)
{
    struct reply r = {7};
    struct buf out;
    buf_init(&out, 1000);
    arena_reset(&arena);
    error_init(&err);
    CHECK_OK(schema_decode(&reply_schema, SLICE("{\"to\":null}"), &arena, &r, &err), &err);
    CHECK_INT(r.to, 0);
    schema_encode(&reply_schema, &r, &out);
    CHECK_STR(buf_view(&out), "{\"to\":null}");
    CHECK_INT(schema_decode(&reply_schema, SLICE("{\"to\":0}"), &arena, &r, &err), FAIL_INVALID);
    buf_done(&out);
}

static const struct schema_field counted_fields[] = {
    {"to", NULL, SCHEMA_INT, SCHEMA_NULLABLE | SCHEMA_COUNT, SCHEMA_AT(struct reply, to)},
};
static SCHEMA_DEF(counted_schema, struct reply, "Counted", NULL, counted_fields);

TEST(a_nullable_count_may_be_zero_and_is_null_at_minus_one)
{
    static const struct {
        const char *json;
        int64_t value;
    } samples[] = {{"{\"to\":null}", -1}, {"{\"to\":0}", 0}, {"{\"to\":7}", 7}};
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct reply r = {99};
        struct buf out;
        buf_init(&out, 1000);
        arena_reset(&arena);
        error_init(&err);
        CHECK_OK(schema_decode(&counted_schema, slice_str(samples[i].json), &arena, &r, &err),
                 &err);
        CHECK_INT(r.to, samples[i].value);
        schema_encode(&counted_schema, &r, &out);
        CHECK_STR(buf_view(&out), samples[i].json);
        buf_done(&out);
    }
}

struct node {
    const struct node *next;
};
extern const struct schema node_schema;
static const struct schema_field node_fields[] = {
    {"next", NULL, SCHEMA_OBJECT, SCHEMA_NULLABLE | SCHEMA_POINTER, SCHEMA_AT(struct node, next),
     .of = &node_schema},
};
SCHEMA_DEF(node_schema, struct node, "Node", NULL, node_fields);

static void count_schema(const struct schema *schema, void *arg)
{
    (void)schema;
    ++*(int *)arg;
}

TEST(a_schema_that_contains_itself_is_walked_and_decoded)
{
    int seen = 0;
    schema_walk(&node_schema, count_schema, &seen);
    CHECK_INT(seen, 1);
    seen = 0;
    schema_walk(&thing_schema, count_schema, &seen);
    CHECK(seen >= 2);
    struct node n;
    error_init(&err);
    arena_reset(&arena);
    CHECK_OK(schema_decode(&node_schema, SLICE("{\"next\":{\"next\":{\"next\":null}}}"), &arena, &n,
                           &err),
             &err);
    CHECK(n.next != NULL && n.next->next != NULL && n.next->next->next == NULL);
    struct buf deep;
    buf_init(&deep, 1 << 20);
    for (int i = 0; i < 70; i++)
        buf_lit(&deep, "{\"next\":");
    CHECK_INT(schema_decode(&node_schema, buf_view(&deep), &arena, &n, &err), FAIL_BAD_REQUEST);
    CHECK_STR(slice_str(err.code), "invalid_json");
    buf_done(&deep);
}

/* A random value, encoded, decoded and encoded again, gives the same text. */
static struct slice random_text(char *out, size_t min, size_t max)
{
    static const char *const pieces[] = {"a", "\"",       "\\",           "Z",
                                         "/", "\xc3\xa9", "\xe2\x82\xac", " "};
    size_t len = 0;
    while (len < min || (len + 3 <= max && random_below(4) != 0)) {
        const char *piece = pieces[random_below(ARRAY_LEN(pieces))];
        memcpy(out + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return slice_of(out, len);
}

TEST(random_values_survive_the_way_there_and_back)
{
    arena_done(&arena);
    arena_init(&arena, 1 << 20);
    for (int round = 0; round < 2000; round++) {
        char text[4][16];
        struct place places[2] = {{SLICE("p"), 1 + (int64_t)random_below(9), random_below(2) != 0},
                                  {SLICE("q"), 1, true}};
        struct slice names[3] = {SLICE("n"), random_text(text[0], 1, 4), SLICE("\n\x01")};
        int64_t numbers[2] = {(int64_t)random_u64(), -(int64_t)random_below(100)};
        struct id ids[3];
        random_bytes(ids, sizeof ids);
        int colors[4] = {(int)random_below(3), 1, 2, 0};
        struct thing t = {
            .flag = random_below(2) != 0,
            .count = (int64_t)(random_u64() >> random_below(64)),
            .title = random_below(2) != 0 ? random_text(text[1], 2, 8) : (struct slice){0},
            .line = random_below(2) != 0 ? random_text(text[2], 0, 15) : (struct slice){0},
            .any = random_below(2) != 0 ? SLICE("{\"k\":[1.5,null]}") : SLICE("null"),
            .id = ids[0],
            .owner = random_below(2) != 0 ? ids[1] : (struct id){{0}},
            .at = (int64_t)random_below(253402300799999),
            .gone = (int64_t)random_below(3),
            .color = (int)random_below(3),
            .maybe_color = (int)random_below(4) - 1,
            .place = places[0],
            .other = random_below(2) != 0 ? &places[1] : NULL,
            .ids = {ids, 1 + random_below(3)},
            .names = {names, random_below(4)},
            .places = {places, random_below(3)},
            .colors = {colors, random_below(5)},
            .maybe = {random_below(2) != 0 ? numbers : NULL, 0},
        };
        t.maybe.count = t.maybe.items != NULL ? random_below(3) : 0;
        struct buf first, second;
        buf_init(&first, 1 << 16);
        buf_init(&second, 1 << 16);
        schema_encode(&thing_schema, &t, &first);
        struct thing back;
        arena_reset(&arena);
        error_init(&err);
        CHECK_OK(schema_decode(&thing_schema, buf_view(&first), &arena, &back, &err), &err);
        CHECK(back.count == t.count && back.at == t.at && id_eq(&back.id, &t.id));
        schema_encode(&thing_schema, &back, &second);
        CHECK(slice_eq(buf_view(&first), buf_view(&second)));
        buf_done(&first);
        buf_done(&second);
    }
    arena_done(&arena);
}
