/* OpenAPI 3.1.0 from the route tables.
 *
 * An operation lists every status that its route can give on purpose: those that all routes of
 * its kind share (400, 401, 422, ...) and those of its own errors. Their codes stand in
 * `x-error-codes`. `default` is left for what goes wrong by itself (500, 507) and for what is said
 * before the route is known; the codes of the latter are the `x-error-codes` of the document.
 */
#include "gateway/openapi.h"

#include "base/json.h"
#include "gateway/openapi_operation.h"
#include "gateway/reference.h"

static bool shown(const struct route *r)
{
    return (r->flags & ROUTE_HIDDEN) == 0 && r->method != HTTP_OTHER;
}

/* A walk over the routes that are shown: `at` is {0, 0} before the first. */
struct place {
    size_t module, next;
};

static const struct route *next_route(const struct module *const *modules, struct place *at)
{
    for (; modules[at->module] != NULL; at->module++, at->next = 0) {
        const struct module *m = modules[at->module];
        while (at->next < m->route_count) {
            const struct route *r = &m->routes[at->next++];
            if (shown(r))
                return r;
        }
    }
    return NULL;
}

/* Whether an earlier route has this path already. */
static bool path_written(const struct module *const *modules, const struct route *r)
{
    struct place at = {0, 0};
    for (const struct route *other; (other = next_route(modules, &at)) != r;)
        if (strcmp(other->path, r->path) == 0)
            return true;
    return false;
}

/* "{rest...}" is an ordinary parameter here. */
static void write_path(const char *path, struct buf *out)
{
    buf_char(out, '"');
    for (const char *c = path; *c != 0; c++)
        if (strncmp(c, "...}", 4) == 0)
            c += 2;
        else
            buf_char(out, *c);
    buf_lit(out, "\":{");
}

static void write_paths(const struct module *const *modules, struct buf *out)
{
    struct place at = {0, 0};
    const char *before = "";
    buf_lit(out, ",\"paths\":{");
    for (const struct route *r; (r = next_route(modules, &at)) != NULL;) {
        if (path_written(modules, r))
            continue;
        buf_str(out, before);
        before = "},";
        write_path(r->path, out);
        const char *inside = "";
        struct place same = {0, 0};
        for (const struct route *o; (o = next_route(modules, &same)) != NULL;) {
            if (strcmp(o->path, r->path) != 0)
                continue;
            buf_str(out, inside);
            inside = ",";
            openapi_write_operation(modules[same.module], o, out);
        }
    }
    buf_str(out, before[0] != 0 ? "}}" : "}");
}

static bool tag_written(const struct module *const *modules, const struct route *r, const char *tag)
{
    struct place at = {0, 0};
    for (const struct route *other; (other = next_route(modules, &at)) != r;)
        if (strcmp(openapi_tag(modules[at.module], other), tag) == 0)
            return true;
    return false;
}

static void write_tags(const struct module *const *modules, struct buf *out)
{
    struct place at = {0, 0};
    const char *before = "";
    buf_lit(out, ",\"tags\":[");
    for (const struct route *r; (r = next_route(modules, &at)) != NULL;) {
        const char *tag = openapi_tag(modules[at.module], r);
        if (tag_written(modules, r, tag))
            continue;
        buf_str(out, before);
        before = ",";
        buf_char(out, '{');
        reference_text(out, "name", tag);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void write_components(const struct module *const *modules, struct buf *out)
{
    struct reference_set set = {0};
    struct place at = {0, 0};
    for (const struct route *r; (r = next_route(modules, &at)) != NULL;) {
        reference_add(&set, r->body);
        reference_add(&set, r->answer);
        reference_add(&set, r->other_answer);
    }
    buf_lit(out, ",\"components\":{\"schemas\":{");
    reference_write(&set, out);
    reference_done(&set);
    buf_lit(out, "},\"responses\":{");
    openapi_write_responses(out);
    buf_lit(
        out,
        "},\"parameters\":{\"IdempotencyKey\":{\"name\":\"Idempotency-Key\",\"in\":\"header\","
        "\"required\":false,\"description\":\"A repeat within 24 hours with the same key and "
        "body gets the same answer and changes nothing.\",\"schema\":{\"type\":\"string\","
        "\"minLength\":1,\"maxLength\":128}},"
        "\"IfMatch\":{\"name\":\"If-Match\",\"in\":\"header\",\"required\":false,"
        "\"description\":\"The ETag of what was read: refused (412) when it has changed "
        "since.\",\"schema\":{\"type\":\"string\",\"minLength\":1}},"
        "\"IfNoneMatch\":{\"name\":\"If-None-Match\",\"in\":\"header\",\"required\":false,"
        "\"description\":\"The ETag of what one has: answered 304, without a body, when that is "
        "still so.\",\"schema\":{\"type\":\"string\",\"minLength\":1}}},\"headers\":{");
    openapi_write_headers(out);
    buf_lit(out, "},\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\","
                 "\"bearerFormat\":\"JWT\",\"description\":\"The access_token of signing in.\"}}}");
}

/* Of requests that are refused before an operation is found for them. */
static void write_common_codes(struct buf *out)
{
    static const char *const codes[] = {"method_not_allowed",
                                        "not_found",
                                        "request_timeout",
                                        "too_many_connections",
                                        "busy",
                                        "out_of_memory",
                                        "internal",
                                        "bad_line",
                                        "bad_method",
                                        "bad_version",
                                        "bad_request_target",
                                        "bad_header_name",
                                        "bad_host",
                                        "bad_content_length",
                                        "bad_transfer_encoding",
                                        "bad_framing",
                                        "bad_chunk",
                                        "body_too_large",
                                        "uri_too_long",
                                        "headers_too_large",
                                        "too_many_headers",
                                        "trailers_too_large",
                                        "expectation_failed",
                                        "method_not_implemented",
                                        "transfer_coding_not_implemented",
                                        "version_not_supported"};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        buf_printf(out, "%s\"%s\"", i == 0 ? ",\"x-error-codes\":[" : ",", codes[i]);
    buf_char(out, ']');
}

void openapi_write(const struct module *const *modules, const char *version, struct buf *out)
{
    buf_lit(out, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Parley\",");
    reference_text(out, "version", version);
    buf_lit(out, ",\"description\":\"A self-hosted backend for chat: sign-in, people, chats and "
                 "a realtime connection that loses nothing. Times are RFC 3339 in UTC, ids are "
                 "UUIDs, unknown fields are refused. A cursor is good for the list that gave it, "
                 "with the same filters.\",\"license\":{\"name\":\"Apache-2.0\","
                 "\"identifier\":\"Apache-2.0\"}},\"servers\":[{\"url\":\"/\"}],"
                 "\"security\":[{\"bearer\":[]}]");
    write_common_codes(out);
    write_tags(modules, out);
    write_paths(modules, out);
    write_components(modules, out);
    buf_char(out, '}');
}
