/* Entity tags, problems, pages and cursors: what every room's answers are made with. */
#include <stdio.h>

#include "harness.h"
#include "kit/jwt.h"
#include "kit/module.h"
#include "kit/paging.h"
#include "kit/problem.h"
#include "kit/request.h"

static struct http_head head;
static struct request req;

static void begin(enum http_method method)
{
    memset(&head, 0, sizeof head);
    memset(&req, 0, sizeof req);
    head.method = method;
    req.head = &head;
    error_init(&req.error);
    buf_init(&req.answer, 1000);
    buf_init(&req.headers, 1000);
}

static void end(void)
{
    buf_done(&req.answer);
    buf_done(&req.headers);
}

static void header(const char *name, const char *value)
{
    head.headers[head.header_count++] =
        (struct http_header){.name = slice_str(name), .value = slice_str(value)};
}

static const char body[] = "{\"a\":1}";

/* Whether a change is let through when If-Match is this, with %s the tag. */
static int match(const char *format)
{
    char etag[REQUEST_ETAG_MAX], value[300];
    begin(HTTP_PATCH);
    request_etag_make(slice_str(body), etag);
    snprintf(value, sizeof value, format, etag, etag);
    header("If-Match", value);
    int rc = request_check_match(&req, slice_str(body));
    end();
    return rc;
}

TEST(a_change_is_let_through_for_the_tag_that_was_read)
{
    CHECK_INT(match("%s"), 0);
    CHECK_INT(match(" \"x\" ,%s, \"y\""), 0);
    CHECK_INT(match("\"a,b\",%s"), 0);
    CHECK_INT(match("*"), 0);
    CHECK_INT(match("W/%s"), FAIL_STALE); /* strong comparison (RFC 9110, 13.1.1) */
    CHECK_INT(match("\"other\""), FAIL_STALE);
    CHECK_INT(match(""), FAIL_STALE);
    CHECK_INT(match(","), FAIL_STALE);
    CHECK_INT(match("\"x\" *"), FAIL_STALE);
    begin(HTTP_PATCH);
    CHECK_INT(request_check_match(&req, slice_str(body)), 0);
    end();
}

TEST(a_list_may_be_spread_over_lines)
{
    char etag[REQUEST_ETAG_MAX];
    begin(HTTP_PATCH);
    request_etag_make(slice_str(body), etag);
    header("if-match", "\"one\", \"two\"");
    header("x", etag);
    CHECK_INT(request_check_match(&req, slice_str(body)), FAIL_STALE);
    header("if-match", etag);
    CHECK_INT(request_check_match(&req, slice_str(body)), 0);
    end();
}

static int read_with(enum http_method method, const char *format)
{
    char etag[REQUEST_ETAG_MAX], value[300], line[100];
    begin(method);
    request_etag_make(slice_str(body), etag);
    snprintf(value, sizeof value, format, etag);
    header("if-none-match", value);
    CHECK_INT(request_reply_json(&req, 200, slice_str(body)), 0);
    request_etag(&req);
    snprintf(line, sizeof line, "etag: %s\r\n", etag);
    CHECK_STR(buf_view(&req.headers), line);
    CHECK_INT(req.answer.len == 0, req.status == 304);
    int status = req.status;
    end();
    return status;
}

TEST(what_the_client_has_is_not_sent_again)
{
    CHECK_INT(read_with(HTTP_GET, "%s"), 304);
    CHECK_INT(read_with(HTTP_HEAD, "%s"), 304);
    CHECK_INT(read_with(HTTP_GET, "\"x\", W/%s"), 304); /* weak comparison */
    CHECK_INT(read_with(HTTP_GET, "*"), 304);
    CHECK_INT(read_with(HTTP_GET, "\"x\""), 200);
    CHECK_INT(read_with(HTTP_POST, "%s"), 200);
}

TEST(tags_differ_with_the_bytes)
{
    char one[REQUEST_ETAG_MAX], other[REQUEST_ETAG_MAX];
    request_etag_make(SLICE("{\"a\":1}"), one);
    request_etag_make(SLICE("{\"a\":2}"), other);
    CHECK(strcmp(one, other) != 0);
    CHECK_INT(strlen(one), 34);
    CHECK(one[0] == '"' && one[33] == '"');
}

TEST(an_answer_that_does_not_fit_is_refused)
{
    static char large[2000];
    memset(large, ' ', sizeof large);
    begin(HTTP_GET);
    CHECK_INT(request_reply_json(&req, 200, slice_of(large, sizeof large)), FAIL_TOO_LARGE);
    CHECK_STR(slice_str(req.error.code), "answer_too_large");
    end();
}

/* --- problems ----------------------------------------------------------------------------------
 */
TEST(a_problem_says_what_and_why)
{
    struct error err;
    struct buf out;
    error_init(&err);
    buf_init(&out, 4000);
    (void)!error_field(&err, "name", "too_long", "At most \"%d\" characters.", 5);
    problem_write(&err, SLICE("abc\"def"), &out);
    CHECK(memmem(out.ptr, out.len, "\"correlation_id\":\"abc\\\"def\"", 27) != NULL);
    CHECK(memmem(out.ptr, out.len, "{\"field\":\"name\",\"code\":\"too_long\"", 33) != NULL);
    CHECK(memmem(out.ptr, out.len, "At most \\\"5\\\" characters.", 25) != NULL);
    buf_clear(&out);
    error_init(&err);
    err.kind = FAIL_INTERNAL; /* a record without a code is still an answer */
    problem_write(&err, (struct slice){0}, &out);
    CHECK(memmem(out.ptr, out.len, "\"status\":500", 12) != NULL);
    CHECK(memmem(out.ptr, out.len, "\"code\":\"internal_error\",\"correlation_id\":null", 45) !=
          NULL);
    buf_done(&out);
}

TEST(what_went_wrong_inside_stays_inside)
{
    struct error err;
    struct buf out;
    error_init(&err);
    buf_init(&out, 4000);
    (void)!error_set(&err, FAIL_INTERNAL, "database_error", "INSERT INTO account: disk I/O");
    problem_write(&err, SLICE("abc"), &out);
    CHECK(memmem(out.ptr, out.len, "INSERT", 6) == NULL);
    CHECK(memmem(out.ptr, out.len, "\"code\":\"database_error\"", 23) != NULL);
    buf_done(&out);
}

TEST(retry_after_is_rounded_up)
{
    struct error err;
    error_init(&err);
    CHECK_INT(problem_retry_after_s(&err), 0);
    err.retry_after_ms = 1;
    CHECK_INT(problem_retry_after_s(&err), 1);
    err.retry_after_ms = 1000;
    CHECK_INT(problem_retry_after_s(&err), 1);
    err.retry_after_ms = 1001;
    CHECK_INT(problem_retry_after_s(&err), 2);
}

/* --- pages -------------------------------------------------------------------------------------
 */
static int decode(const char *text, struct cursor *ret_cursor, bool *ret_given)
{
    struct error err;
    error_init(&err);
    return cursor_decode(text != NULL ? slice_str(text) : (struct slice){0}, ret_cursor, ret_given,
                         &err);
}

TEST(cursors_come_back_as_they_went)
{
    static const int64_t numbers[] = {0, 1, -1, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct cursor cursor = {numbers[i], {.bytes = {1, 2, 0xff}}}, back;
        char text[100];
        struct buf out;
        bool given = false;
        buf_init(&out, 100);
        cursor_encode(&cursor, &out);
        CHECK(copy_str(text, sizeof text, buf_view(&out)));
        CHECK_INT(decode(text, &back, &given), 0);
        CHECK(given && back.number == cursor.number && id_eq(&back.id, &cursor.id));
        text[out.len - 1] = '\0'; /* cut */
        CHECK_INT(decode(text, &back, &given), FAIL_BAD_REQUEST);
        CHECK(!given && back.number == 0);
        buf_done(&out);
    }
}

TEST(foreign_cursors_are_refused)
{
    struct cursor cursor;
    bool given;
    CHECK_INT(decode(NULL, &cursor, &given), 0);
    CHECK(!given);
    CHECK_INT(decode("", &cursor, &given), FAIL_BAD_REQUEST);
    CHECK_INT(decode("AAAA", &cursor, &given), FAIL_BAD_REQUEST);
    CHECK_INT(decode("!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &cursor, &given), FAIL_BAD_REQUEST);
    CHECK_INT(decode("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &cursor, &given), FAIL_BAD_REQUEST);
}

TEST(cursors_of_bytes_come_back_and_only_with_their_length)
{
    uint8_t bytes[PAGE_CURSOR_BYTES_MAX], back[PAGE_CURSOR_BYTES_MAX] = {0};
    struct error err;
    struct buf text;
    bool given;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(255 - i);
    buf_init(&text, 200);
    base64url_encode(slice_of((const char *)bytes, sizeof bytes), &text);
    error_init(&err);
    CHECK_INT(cursor_decode_bytes((struct slice){0}, sizeof back, back, &given, &err), 0);
    CHECK(!given && back[0] == 0);
    CHECK_INT(cursor_decode_bytes(buf_view(&text), sizeof back - 1, back, &given, &err),
              FAIL_BAD_REQUEST);
    CHECK(!given && back[0] == 0);
    error_init(&err);
    CHECK_INT(cursor_decode_bytes(buf_view(&text), sizeof back, back, &given, &err), 0);
    CHECK(given && memcmp(bytes, back, sizeof bytes) == 0);
    buf_done(&text);
}

/* --- cursors and their lists -------------------------------------------------------------------
 */
struct list_params {
    struct id id;
};
static const struct schema_field list_params_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct list_params, id)},
};
static SCHEMA_DEF(list_params_schema, struct list_params, "ListParams", NULL, list_params_fields);

static const char *const colours[] = {"red", "blue", NULL};
struct list_query {
    struct page_query page;
    uint64_t present;
    int colour;
    struct slice q;
    int64_t from;
};
static const struct schema_field list_query_fields[] = {
    {"limit", NULL, SCHEMA_INT, SCHEMA_AT(struct list_query, page.limit), .min = 1, .max = 100},
    {"cursor", NULL, SCHEMA_STRING, SCHEMA_AT(struct list_query, page.cursor), .max = 200},
    {"colour", NULL, SCHEMA_ENUM, SCHEMA_AT(struct list_query, colour), .names = colours},
    {"q", NULL, SCHEMA_STRING, SCHEMA_AT(struct list_query, q)},
    {"from", NULL, SCHEMA_TIME, SCHEMA_AT(struct list_query, from)},
};
static SCHEMA_DEF_PATCH(list_query_schema, struct list_query, "ListQuery", NULL, list_query_fields);

static const struct route things = {
    .path = "/things/{id}", .params = &list_params_schema, .query = &list_query_schema};
static const struct route others = {
    .path = "/others/{id}", .params = &list_params_schema, .query = &list_query_schema};

/* Opens the list with the cursor (NULL: none) and, when that is right, gives the next one. */
static int open_list(const struct route *route, uint8_t id, const char *query, const char *cursor,
                     char ret_next[200])
{
    struct list_params params = {.id = {{id}}};
    struct list_query decoded;
    char text[400];
    struct arena arena;
    arena_init(&arena, 4000);
    begin(HTTP_GET);
    snprintf(text, sizeof text, "%s%s%s", query, cursor != NULL ? "&cursor=" : "",
             cursor != NULL ? cursor : "");
    CHECK_INT(schema_decode_query(route->query, slice_str(text), &arena, &decoded, &req.error), 0);
    int rc = page_open(&req, route, &params, &decoded);
    if (rc == 0) {
        struct cursor at = {7, {{9}}}, back;
        bool given;
        CHECK_INT(cursor_decode(decoded.page.cursor, &back, &given, &req.error), 0);
        CHECK(given == (cursor != NULL));
        CHECK(!given || (back.number == 7 && id_eq(&back.id, &at.id)));
        CHECK_INT(request_reply_page_json(&req, NULL, 0, &at), 0);
        snprintf(ret_next, 200, "%.*s", (int)req.answer.len - 29, req.answer.ptr + 27);
    } else {
        CHECK_STR(slice_str(req.error.code), "invalid_cursor");
        CHECK_INT(req.error.field_count, 1);
        CHECK_STR(slice_str(req.error.fields[0].field), "cursor");
    }
    end();
    arena_done(&arena);
    return rc;
}

TEST(a_cursor_is_of_one_list)
{
    char next[200], same[200];
    CHECK_INT(open_list(&things, 1, "colour=red&q=a", NULL, next), 0);
    CHECK_INT(open_list(&things, 1, "colour=red&q=a", next, same), 0);
    CHECK_STR(slice_str(same), next); /* on every page */
    CHECK_INT(open_list(&things, 1, "limit=7&q=a&from=2026-01-01T00:00:00Z&colour=red", next, same),
              0);
    CHECK_INT(open_list(&others, 1, "colour=red&q=a", next, same), FAIL_BAD_REQUEST);
    CHECK_INT(open_list(&things, 2, "colour=red&q=a", next, same), FAIL_BAD_REQUEST);
    CHECK_INT(open_list(&things, 1, "colour=blue&q=a", next, same), FAIL_BAD_REQUEST);
    CHECK_INT(open_list(&things, 1, "q=a", next, same), FAIL_BAD_REQUEST); /* red is not "any" */
    CHECK_INT(open_list(&things, 1, "colour=red&q=b", next, same), FAIL_BAD_REQUEST);
    CHECK_INT(open_list(&things, 1, "colour=red", next, same), FAIL_BAD_REQUEST);
}

TEST(a_cursor_that_was_changed_is_refused)
{
    char next[200], same[200];
    CHECK_INT(open_list(&things, 1, "q=a", NULL, next), 0);
    for (size_t i = 0; next[i] != 0; i++) {
        char kept = next[i];
        next[i] = kept == 'A' ? 'B' : 'A';
        CHECK_INT(open_list(&things, 1, "q=a", next, same), FAIL_BAD_REQUEST);
        next[i] = kept;
    }
    CHECK_INT(open_list(&things, 1, "q=a", next + 8, same), FAIL_BAD_REQUEST); /* of an older one */
    CHECK_INT(open_list(&things, 1, "q=a", "", same), FAIL_BAD_REQUEST);
    CHECK_INT(open_list(&things, 1, "q=a", "AAAAAAAA", same), FAIL_BAD_REQUEST);
}

TEST(a_page_ends_with_a_cursor_or_null)
{
    const struct slice items[] = {SLICE("{}"), SLICE("1")};
    begin(HTTP_GET);
    CHECK_INT(request_reply_page_json(&req, items, 2, NULL), 0);
    CHECK_STR(buf_view(&req.answer), "{\"items\":[{},1],\"next_cursor\":null}");
    buf_clear(&req.answer);
    CHECK_INT(request_reply_page_json(&req, items, 0, &(struct cursor){0}), 0);
    CHECK(slice_starts(buf_view(&req.answer), SLICE("{\"items\":[],\"next_cursor\":\"")));
    CHECK_STR(slice_of(req.answer.ptr + req.answer.len - 34, 34), /* after the check */
              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}");
    end();
}
