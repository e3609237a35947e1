/* The printed descriptions of two made-up modules: that they are JSON, that all references hold
 * and that what the tables say stands in them. */
#include "gateway/openapi.h"

#include "base/json.h"
#include "harness.h"
#include "kit/module.h"

struct chat_path {
    struct id id;
    int64_t seq;
};
static const struct schema_field path_fields[] = {
    {"id", "The chat.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_path, id)},
    {"seq", NULL, SCHEMA_INT, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_path, seq), 1, 1000},
};
static SCHEMA_DEF(path_schema, struct chat_path, "ChatPath", NULL, path_fields);

struct part {
    struct slice name;
};
static const struct schema_field part_fields[] = {
    {"name", "Its \"name\".", SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct part, name), 1, 9},
};
static SCHEMA_DEF(part_schema, struct part, "Part", "A part.", part_fields);

struct chat {
    struct id id;
    struct schema_list parts;
    const struct part *last;
};
static const struct schema_field chat_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat, id)},
    {"parts", NULL, SCHEMA_LIST, 0, SCHEMA_AT(struct chat, parts), .of = &part_schema},
    {"last", NULL, SCHEMA_OBJECT, SCHEMA_NULLABLE | SCHEMA_POINTER, SCHEMA_AT(struct chat, last),
     .of = &part_schema},
};
static SCHEMA_DEF(chat_schema, struct chat, "Chat", "A chat.", chat_fields);

struct search {
    struct slice q;
    struct schema_list kinds;
};
static const char *const kinds[] = {"direct", "group", NULL};
static const struct schema_field search_fields[] = {
    {"q", "Words.", SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct search, q), 1, 100},
    {"kinds", NULL, SCHEMA_LIST, 0, SCHEMA_AT(struct search, kinds), .element = SCHEMA_ENUM,
     .names = kinds},
};
static SCHEMA_DEF(search_schema, struct search, "Search", NULL, search_fields);

static int handle(struct request *req)
{
    (void)req;
    return 0;
}

static const struct route_error send_errors[] = {{403, "blocked"}, {409, "chat_full"}, {0}};
static const struct route chat_routes[] = {
    {HTTP_GET, "/api/v1/chats", "chats", "My chats", NULL, handle, .query = &search_schema,
     .answer = &chat_schema, .answer_list = true, .status = 200},
    {HTTP_POST, "/api/v1/chats", "chats", "Make a chat", "The text\nof it.", handle,
     .body = &chat_schema, .answer = &chat_schema, .status = 201, .errors = send_errors,
     .other_status = 202, .other_answer = &part_schema},
    {HTTP_DELETE, "/api/v1/chats/{id}/messages/{seq}", "chats", "Delete", NULL, handle,
     .params = &path_schema, .status = 204},
    {HTTP_GET, "/api/v1/secret", "chats", "Hidden", NULL, handle, ROUTE_HIDDEN, .status = 200},
};
static const struct op chat_ops[] = {
    {"chat.send", "Sends.", handle, &part_schema, &chat_schema},
    {"ping", NULL, handle, NULL, NULL},
};
static const struct event_type sent = {"message.sent", true, &chat_schema, "A message."};
static const struct event_type inner = {"chat.indexed", false, &search_schema, "Inside only."};
static const struct event_type *const chat_events[] = {&sent, &inner, NULL};
static const struct module chat_module = {.name = "chat",
                                          .routes = chat_routes,
                                          .route_count = ARRAY_LEN(chat_routes),
                                          .ops = chat_ops,
                                          .op_count = ARRAY_LEN(chat_ops),
                                          .events = chat_events};

static const struct route_error edit_errors[] = {{410, "gone"}, {412, "stale"}, {0}};
static const struct route other_routes[] = {
    {HTTP_PATCH, "/api/v1/chats/{id}/messages/{seq}", NULL, "Edit", NULL, handle,
     .params = &path_schema, .body = &part_schema, .answer = &chat_schema, .status = 200,
     .errors = edit_errors},
    {HTTP_GET, "/files/{rest...}", "files", "A file", NULL, handle, ROUTE_PUBLIC,
     .limit = LIMIT_NONE, .status = 200},
    {HTTP_GET, "/api/v1/admin/users", "admin", "Users", NULL, handle, .scopes = SCOPE_ADMIN,
     .query = &search_schema, .answer = &part_schema, .answer_list = true, .status = 200},
    {HTTP_POST, "/hook", "files", "From outside", NULL, handle, ROUTE_PUBLIC, .body = &part_schema,
     .status = 204},
};
static const struct module other_module = {
    .name = "other", .routes = other_routes, .route_count = ARRAY_LEN(other_routes)};
static const struct module *const modules[] = {&chat_module, &other_module, NULL};

static struct arena arena;
static struct buf text;

static const struct json_value *document(void (*write)(const struct module *const *, const char *,
                                                       struct buf *))
{
    struct error err;
    struct json_value *v = NULL;
    arena_init(&arena, 8 << 20);
    buf_init(&text, 1 << 20);
    write(modules, "1.2.3", &text);
    CHECK(buf_ok(&text));
    error_init(&err);
    CHECK_OK(json_parse(buf_view(&text), &arena, &v, &err), &err);
    return v;
}

static void done(void)
{
    arena_done(&arena);
    buf_done(&text);
}

/* The value behind a path of member names, ended by NULL; elements of arrays by index text. */
static const struct json_value *at_path(const struct json_value *v, const char *const *path)
{
    for (; *path != NULL && v != NULL; path++) {
        uint64_t index;
        if (v->type == JSON_ARRAY && slice_to_u64(slice_str(*path), &index)) {
            for (v = v->first; v != NULL && index != 0; index--)
                v = v->next;
        } else {
            v = json_member(v, *path);
        }
    }
    return v;
}
#define AT(v, ...) at_path(v, (const char *const[]){__VA_ARGS__, NULL})
#define RAW(v, ...) (AT(v, __VA_ARGS__) != NULL ? AT(v, __VA_ARGS__)->raw : SLICE("(not there)"))

/* Every "$ref": "#/a/b" leads somewhere. */
static unsigned check_references(const struct json_value *root, const struct json_value *v)
{
    unsigned count = 0;
    for (const struct json_value *m = v->first; m != NULL; m = m->next) {
        count += check_references(root, m);
        if (v->type != JSON_OBJECT || !slice_eq(m->key, SLICE("$ref")))
            continue;
        const struct json_value *target = root;
        struct slice rest = m->text, name;
        slice_cut(&rest, '/', &name);
        CHECK_STR(name, "#");
        for (bool more = true; more && target != NULL;) {
            char member[100];
            more = slice_cut(&rest, '/', &name);
            CHECK(copy_str(member, sizeof member, name));
            target = json_member(target, member);
        }
        if (target == NULL)
            test_fail(__FILE__, __LINE__, "%.*s leads nowhere", SLICE_FMT(m->text));
        count++;
    }
    return count;
}

TEST(openapi_says_what_the_routes_say)
{
    const struct json_value *d = document(openapi_write);
    CHECK_STR(RAW(d, "openapi"), "\"3.1.0\"");
    CHECK_STR(RAW(d, "info", "version"), "\"1.2.3\"");
    CHECK(check_references(d, d) > 30);
    const struct json_value *paths = json_member(d, "paths");
    CHECK_INT(paths->count, 5);
    const struct json_value *post = AT(paths, "/api/v1/chats", "post");
    CHECK_STR(RAW(post, "operationId"), "\"post_chats\"");
    CHECK_STR(RAW(post, "requestBody", "content", "application/json", "schema", "$ref"),
              "\"#/components/schemas/Chat\"");
    CHECK_STR(RAW(post, "responses", "201", "content", "application/json", "schema", "$ref"),
              "\"#/components/schemas/Chat\"");
    CHECK(AT(post, "responses", "422") != NULL && AT(post, "responses", "415") != NULL);
    CHECK(AT(post, "responses", "401") != NULL);
    CHECK(strstr(text.ptr, "403 `blocked`, 409 `chat_full`") != NULL);
    /* What the route's own errors name, and no more. */
    CHECK(AT(post, "responses", "403") != NULL && AT(post, "responses", "404") == NULL);
    struct slice codes = RAW(post, "x-error-codes");
    CHECK(memmem(codes.ptr, codes.len, "\"chat_full\"", 11) != NULL);
    CHECK(memmem(codes.ptr, codes.len, "\"invalid_fields\"", 16) != NULL);
    /* A status that no route has in common comes from its errors alone. */
    const struct json_value *message = AT(paths, "/api/v1/chats/{id}/messages/{seq}");
    CHECK_STR(RAW(message, "patch", "responses", "410", "$ref"), "\"#/components/responses/Gone\"");
    CHECK(AT(message, "delete", "responses", "410") == NULL);
    done();
}

TEST(openapi_parameters_come_from_path_and_query)
{
    const struct json_value *d = document(openapi_write);
    const struct json_value *paths = json_member(d, "paths");
    const struct json_value *list = AT(paths, "/api/v1/chats", "get");
    CHECK_STR(RAW(list, "parameters", "0", "name"), "\"q\"");
    CHECK_STR(RAW(list, "parameters", "0", "required"), "true");
    CHECK_STR(RAW(list, "parameters", "1", "explode"), "false");
    CHECK_STR(RAW(list, "parameters", "1", "required"), "false");
    CHECK_STR(RAW(list, "responses", "200", "content", "application/json", "schema", "required"),
              "[\"items\",\"next_cursor\"]");
    const struct json_value *message = AT(paths, "/api/v1/chats/{id}/messages/{seq}");
    CHECK_INT(message->count, 2);
    CHECK_STR(RAW(message, "patch", "operationId"), "\"patch_chats_by_id_messages_by_seq\"");
    CHECK_STR(RAW(message, "patch", "tags"), "[\"other\"]");
    CHECK_STR(RAW(message, "delete", "parameters", "1", "in"), "\"path\"");
    CHECK_STR(RAW(message, "delete", "parameters", "1", "schema", "maximum"), "1000");
    CHECK(AT(message, "delete", "responses", "204", "content") == NULL);
    const struct json_value *made = AT(paths, "/api/v1/chats", "post", "responses");
    CHECK(AT(made, "201", "content", "application/json", "schema", "$ref") != NULL);
    CHECK(AT(made, "202", "content", "application/json", "schema", "$ref") != NULL);
    CHECK(AT(message, "delete", "responses", "404") != NULL);
    CHECK_STR(RAW(message, "patch", "parameters", "2", "$ref"),
              "\"#/components/parameters/IfMatch\"");
    CHECK(AT(message, "patch", "responses", "412") != NULL);
    CHECK(AT(message, "delete", "responses", "412") == NULL);
    CHECK(AT(message, "delete", "parameters", "2") == NULL);
    CHECK_STR(RAW(paths, "/files/{rest}", "get", "parameters", "0", "name"), "\"rest\"");
    CHECK_STR(RAW(paths, "/hook", "post", "parameters", "0", "$ref"),
              "\"#/components/parameters/IdempotencyKey\"");
    CHECK(AT(paths, "/hook", "post", "requestBody", "content", "application/json") != NULL);
    done();
}

TEST(openapi_knows_who_may)
{
    const struct json_value *d = document(openapi_write);
    const struct json_value *paths = json_member(d, "paths");
    CHECK_STR(RAW(d, "security"), "[{\"bearer\":[]}]");
    CHECK_STR(RAW(paths, "/files/{rest}", "get", "security"), "[]");
    CHECK(AT(paths, "/files/{rest}", "get", "responses", "401") == NULL);
    CHECK(AT(paths, "/files/{rest}", "get", "responses", "429") == NULL);
    CHECK_STR(RAW(paths, "/api/v1/admin/users", "get", "security"), "[{\"bearer\":[\"admin\"]}]");
    CHECK(AT(paths, "/api/v1/admin/users", "get", "responses", "403") != NULL);
    CHECK(AT(paths, "/api/v1/chats", "get", "security") == NULL);
    done();
}

TEST(openapi_leaves_out_what_is_hidden_and_lists_each_schema_once)
{
    const struct json_value *d = document(openapi_write);
    CHECK(AT(d, "paths", "/api/v1/secret") == NULL);
    CHECK_STR(RAW(d, "tags"), "[{\"name\":\"chats\"},{\"name\":\"other\"},{\"name\":\"files\"},"
                              "{\"name\":\"admin\"}]");
    const struct json_value *schemas = AT(d, "components", "schemas");
    CHECK_INT(schemas->count, 3); /* Chat, Part, Problem; queries are parameters */
    CHECK_STR(RAW(schemas, "Part", "properties", "name", "description"), "\"Its \\\"name\\\".\"");
    CHECK_STR(RAW(schemas, "Problem", "properties", "errors", "items", "required"),
              "[\"field\",\"code\",\"detail\"]");
    done();
}

TEST(no_modules_give_a_valid_document_too)
{
    static const struct module *const none[] = {NULL};
    struct error err;
    struct json_value *v;
    arena_init(&arena, 1 << 20);
    buf_init(&text, 1 << 20);
    openapi_write(none, "0", &text);
    error_init(&err);
    CHECK_OK(json_parse(buf_view(&text), &arena, &v, &err), &err);
    CHECK_STR(RAW(v, "paths"), "{}");
    buf_clear(&text);
    asyncapi_write(none, "0", &text);
    CHECK_OK(json_parse(buf_view(&text), &arena, &v, &err), &err);
    CHECK_STR(RAW(v, "operations"), "{}");
    done();
}

TEST(asyncapi_says_what_ops_and_events_say)
{
    const struct json_value *d = document(asyncapi_write);
    CHECK_STR(RAW(d, "asyncapi"), "\"3.0.0\"");
    CHECK(check_references(d, d) > 20);
    CHECK_INT(AT(d, "channels", "ws", "messages")->count, 6);
    CHECK_INT(AT(d, "operations")->count, 3);
    CHECK_STR(RAW(d, "operations", "op.chat.send", "action"), "\"receive\"");
    CHECK_STR(RAW(d, "operations", "op.chat.send", "reply", "messages", "0", "$ref"),
              "\"#/channels/ws/messages/reply.chat.send\"");
    CHECK_STR(RAW(d, "operations", "event.message.sent", "action"), "\"send\"");
    CHECK_STR(RAW(d, "components", "messages", "op.chat.send", "payload", "properties", "op"),
              "{\"const\":\"chat.send\"}");
    CHECK_STR(RAW(d, "components", "messages", "op.ping", "payload", "required"), "[\"op\"]");
    CHECK(AT(d, "components", "messages", "event.chat.indexed") == NULL);
    CHECK(AT(d, "components", "schemas", "Search") == NULL);
    CHECK(AT(d, "components", "schemas", "Part") != NULL);
    done();
}

TEST(a_buffer_too_small_fails_whole)
{
    struct buf small;
    buf_init(&small, 2000);
    openapi_write(modules, "1", &small);
    CHECK(!buf_ok(&small));
    buf_done(&small);
}
