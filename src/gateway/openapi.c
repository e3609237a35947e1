/* OpenAPI 3.1.0 from the route tables.
 *
 * A route names its error codes but not their status, so the operation lists the codes in
 * `x-error-codes` and in its text, and `default` stands for their answers; the answers that every
 * route of its kind can give (400, 401, 422, ...) are written out by status.
 */
#include "gateway/openapi.h"

#include "base/json.h"
#include "gateway/reference.h"
#include "kit/module.h"

/* When a common error can come. */
enum when {
    WHEN_ALWAYS = 1 << 0,
    WHEN_INPUT = 1 << 1,  /* parameters, query or body */
    WHEN_TOKEN = 1 << 2,  /* not public */
    WHEN_SCOPES = 1 << 3, /* not for every role */
    WHEN_PARAMS = 1 << 4,
    WHEN_BODY = 1 << 5,
    WHEN_POST = 1 << 6,
    WHEN_LIMIT = 1 << 7,
};

struct common {
    int status;
    const char *name; /* under components/responses */
    unsigned when;    /* any of these */
    const char *doc;
    const char *codes[6];
};

static const struct common commons[] = {
    {400,
     "BadRequest",
     WHEN_INPUT,
     "Malformed: no JSON, an unknown or doubled field, a bad query.",
     {"invalid_json", "unknown_field", "duplicate_key", "invalid_query"}},
    {401,
     "Unauthenticated",
     WHEN_TOKEN,
     "No token, or one that does not hold.",
     {"token_required", "invalid_token", "token_expired", "token_not_yet_valid", "token_revoked"}},
    {403, "Forbidden", WHEN_SCOPES, "The role may not do this.", {"forbidden"}},
    {404, "NotFound", WHEN_PARAMS, "Not there, or not for this user to see.", {"not_found"}},
    {409,
     "Conflict",
     WHEN_POST,
     "A request with the same Idempotency-Key is still running.",
     {"idempotency_key_in_use"}},
    {413, "TooLarge", WHEN_BODY, "The body is larger than this route takes.", {"too_large"}},
    {415, "MediaType", WHEN_BODY, "The body is of another type.", {"media_type"}},
    {422,
     "Invalid",
     WHEN_INPUT | WHEN_POST,
     "Well-formed, but fields are wrong; each is named in `errors`.",
     {"invalid_fields", "idempotency_key_reused"}},
    {429, "Limited", WHEN_LIMIT, "Too many requests.", {"rate_limited"}},
    {503, "Unavailable", WHEN_ALWAYS, "Too busy, or a part is away; try again later.", {"busy"}},
};

static const char *const methods[] = {
    [HTTP_GET] = "get",         [HTTP_HEAD] = "head",   [HTTP_POST] = "post",
    [HTTP_PUT] = "put",         [HTTP_PATCH] = "patch", [HTTP_DELETE] = "delete",
    [HTTP_OPTIONS] = "options",
};

static bool shown(const struct route *r)
{
    return (r->flags & ROUTE_HIDDEN) == 0 && r->method != HTTP_OTHER;
}

static unsigned applies(const struct route *r)
{
    unsigned when = WHEN_ALWAYS;
    if (r->params != NULL)
        when |= WHEN_PARAMS | WHEN_INPUT;
    if (r->query != NULL)
        when |= WHEN_INPUT;
    if (r->body != NULL)
        when |= WHEN_BODY | WHEN_INPUT;
    if ((r->flags & ROUTE_PUBLIC) == 0)
        when |= WHEN_TOKEN;
    if (r->scopes != 0)
        when |= WHEN_SCOPES;
    if (r->method == HTTP_POST)
        when |= WHEN_POST;
    if (r->limit != LIMIT_NONE)
        when |= WHEN_LIMIT;
    return when;
}

/* "get_chats_by_id_messages" of GET /api/v1/chats/{id}/messages: stays the same as long as method
 * and path do, so that generated clients keep their names. */
static void operation_id(const struct route *r, struct buf *out)
{
    struct slice path = slice_str(r->path), root = SLICE("/api/v1");
    if (slice_starts(path, root))
        path = slice_of(path.ptr + root.len, path.len - root.len);
    buf_str(out, methods[r->method]);
    bool gap = true;
    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (c >= 'A' && c <= 'Z') {
            c = (char)(c + 32);
            letter = true;
        }
        if (letter && gap)
            buf_char(out, '_');
        if (letter)
            buf_char(out, c);
        else if (c == '{')
            buf_lit(out, "_by");
        gap = !letter;
    }
    if (path.len <= 1)
        buf_lit(out, "_root");
}

static const struct schema_field *field_of(const struct schema *schema, struct slice name)
{
    for (size_t i = 0; schema != NULL && i < schema->field_count; i++)
        if (slice_eq(name, slice_str(schema->fields[i].name)))
            return &schema->fields[i];
    return NULL;
}

static void write_parameter(const char *in, struct slice name, const struct schema_field *f,
                            bool required, struct buf *out)
{
    buf_lit(out, "{\"name\":");
    json_write_string(out, name);
    buf_printf(out, ",\"in\":\"%s\",\"required\":%s", in, required ? "true" : "false");
    reference_optional(out, "description", f != NULL ? f->doc : NULL);
    if (f != NULL && f->type == SCHEMA_LIST) /* a,b,c */
        buf_lit(out, ",\"style\":\"form\",\"explode\":false");
    buf_lit(out, ",\"schema\":");
    if (f != NULL)
        schema_describe_field(f, out);
    else
        buf_lit(out, "{\"type\":\"string\"}");
    buf_char(out, '}');
}

static void write_parameters(const struct route *r, struct buf *out)
{
    const char *before = "";
    buf_lit(out, ",\"parameters\":[");
    for (const char *at = strchr(r->path, '{'); at != NULL; at = strchr(at, '{')) {
        at++;
        struct slice name = slice_of(at, strcspn(at, ".}"));
        buf_str(out, before);
        write_parameter("path", name, field_of(r->params, name), true, out);
        before = ",";
    }
    for (size_t i = 0; r->query != NULL && i < r->query->field_count; i++) {
        const struct schema_field *f = &r->query->fields[i];
        buf_str(out, before);
        write_parameter("query", slice_str(f->name), f, (f->flags & SCHEMA_REQUIRED) != 0, out);
        before = ",";
    }
    if (r->method == HTTP_POST) {
        buf_str(out, before);
        buf_lit(out, "{\"$ref\":\"#/components/parameters/IdempotencyKey\"}");
    }
    buf_char(out, ']');
}

static void write_body(const struct route *r, struct buf *out)
{
    if (r->body == NULL)
        return;
    buf_lit(out, ",\"requestBody\":{\"required\":true,\"content\":{");
    buf_str(out, (r->flags & ROUTE_FORM) != 0 ? "\"application/x-www-form-urlencoded\""
                                              : "\"application/json\"");
    buf_lit(out, ":{\"schema\":");
    reference_to(out, r->body->name);
    buf_lit(out, "}}}");
}

/* {"items": [...], "next_cursor": ...} */
static void write_list(const struct schema *item, struct buf *out)
{
    buf_lit(out, "{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\",\"items\":");
    reference_to(out, item->name);
    buf_lit(out, "},\"next_cursor\":{\"type\":[\"string\",\"null\"],\"description\":\"For the next "
                 "page; null on the last.\"}},\"required\":[\"items\",\"next_cursor\"],"
                 "\"additionalProperties\":false}");
}

static void write_success(const struct route *r, struct buf *out)
{
    int status = r->status != 0 ? r->status : 200;
    buf_printf(out, "\"%d\":{", status);
    reference_text(out, "description", error_http_title(status));
    buf_lit(out, ",\"headers\":{\"x-correlation-id\":{\"$ref\":\"#/components/headers/"
                 "CorrelationId\"}}");
    if (r->answer != NULL) {
        buf_lit(out, ",\"content\":{\"application/json\":{\"schema\":");
        if (r->answer_list)
            write_list(r->answer, out);
        else
            reference_to(out, r->answer->name);
        buf_lit(out, "}}");
    }
    buf_char(out, '}');
}

static void write_responses(const struct route *r, struct buf *out)
{
    unsigned when = applies(r);
    buf_lit(out, ",\"responses\":{");
    write_success(r, out);
    for (size_t i = 0; i < ARRAY_LEN(commons); i++)
        if ((commons[i].when & when) != 0)
            buf_printf(out, ",\"%d\":{\"$ref\":\"#/components/responses/%s\"}", commons[i].status,
                       commons[i].name);
    buf_lit(out, ",\"default\":{\"$ref\":\"#/components/responses/Error\"}}");
}

/* The route's own codes after the common ones that can come. */
static void write_codes(const struct route *r, struct buf *out)
{
    unsigned when = applies(r);
    const char *before = "";
    buf_lit(out, ",\"x-error-codes\":[");
    for (size_t i = 0; i < ARRAY_LEN(commons); i++) {
        if ((commons[i].when & when) == 0)
            continue;
        for (size_t k = 0; k < ARRAY_LEN(commons[i].codes) && commons[i].codes[k] != NULL; k++) {
            buf_printf(out, "%s\"%s\"", before, commons[i].codes[k]);
            before = ",";
        }
    }
    for (size_t i = 0; r->errors != NULL && r->errors[i] != NULL; i++) {
        buf_printf(out, "%s\"%s\"", before, r->errors[i]);
        before = ",";
    }
    buf_char(out, ']');
}

static void write_description(const struct route *r, struct buf *out)
{
    struct buf text;
    buf_init(&text, 16384);
    if (r->doc != NULL)
        buf_str(&text, r->doc);
    for (size_t i = 0; r->errors != NULL && r->errors[i] != NULL; i++) {
        if (i == 0)
            buf_str(&text, r->doc != NULL ? "\n\nError codes of its own: " : "Error codes: ");
        buf_printf(&text, "%s`%s`", i != 0 ? ", " : "", r->errors[i]);
    }
    if (text.len != 0) {
        buf_lit(out, ",\"description\":");
        json_write_string(out, buf_view(&text));
    }
    buf_done(&text);
}

static void write_security(const struct route *r, struct buf *out)
{
    if ((r->flags & ROUTE_PUBLIC) != 0)
        buf_lit(out, ",\"security\":[]");
    else if ((r->scopes & SCOPE_ADMIN) != 0)
        buf_lit(out, ",\"security\":[{\"bearer\":[\"admin\"]}]");
    else if ((r->scopes & SCOPE_MODERATE) != 0)
        buf_lit(out, ",\"security\":[{\"bearer\":[\"moderator\"]}]");
}

static const char *tag_of(const struct module *m, const struct route *r)
{
    return r->tag != NULL ? r->tag : m->name;
}

static void write_operation(const struct module *m, const struct route *r, struct buf *out)
{
    buf_printf(out, "\"%s\":{\"operationId\":\"", methods[r->method]);
    operation_id(r, out);
    buf_lit(out, "\",\"tags\":[");
    json_write_string(out, slice_str(tag_of(m, r)));
    buf_char(out, ']');
    reference_optional(out, "summary", r->summary);
    write_description(r, out);
    write_security(r, out);
    write_parameters(r, out);
    write_body(r, out);
    write_responses(r, out);
    write_codes(r, out);
    buf_char(out, '}');
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
            write_operation(modules[same.module], o, out);
        }
    }
    buf_str(out, before[0] != 0 ? "}}" : "}");
}

static bool tag_written(const struct module *const *modules, const struct route *r, const char *tag)
{
    struct place at = {0, 0};
    for (const struct route *other; (other = next_route(modules, &at)) != r;)
        if (strcmp(tag_of(modules[at.module], other), tag) == 0)
            return true;
    return false;
}

static void write_tags(const struct module *const *modules, struct buf *out)
{
    struct place at = {0, 0};
    const char *before = "";
    buf_lit(out, ",\"tags\":[");
    for (const struct route *r; (r = next_route(modules, &at)) != NULL;) {
        const char *tag = tag_of(modules[at.module], r);
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

static void write_response(const char *name, const char *doc, bool retry, struct buf *out)
{
    buf_printf(out, "\"%s\":{", name);
    reference_text(out, "description", doc);
    buf_lit(out, ",\"headers\":{\"x-correlation-id\":{\"$ref\":\"#/components/headers/"
                 "CorrelationId\"}");
    if (retry)
        buf_lit(out, ",\"retry-after\":{\"$ref\":\"#/components/headers/RetryAfter\"}");
    buf_lit(out, "},\"content\":{\"application/problem+json\":{\"schema\":");
    reference_to(out, "Problem");
    buf_lit(out, "}}}");
}

static void write_components(const struct module *const *modules, struct buf *out)
{
    struct reference_set set = {0};
    struct place at = {0, 0};
    for (const struct route *r; (r = next_route(modules, &at)) != NULL;) {
        reference_add(&set, r->body);
        reference_add(&set, r->answer);
    }
    buf_lit(out, ",\"components\":{\"schemas\":{");
    reference_write(&set, out);
    reference_done(&set);
    buf_lit(out, "},\"responses\":{");
    for (size_t i = 0; i < ARRAY_LEN(commons); i++) {
        const struct common *c = &commons[i];
        write_response(c->name, c->doc, c->status == 429 || c->status == 503, out);
        buf_char(out, ',');
    }
    write_response("Error", "Any other error: see the codes of the operation.", false, out);
    buf_lit(out,
            "},\"parameters\":{\"IdempotencyKey\":{\"name\":\"Idempotency-Key\",\"in\":\"header\","
            "\"required\":false,\"description\":\"A repeat within 24 hours with the same key and "
            "body gets the same answer and changes nothing.\",\"schema\":{\"type\":\"string\","
            "\"minLength\":1,\"maxLength\":255}}},"
            "\"headers\":{\"CorrelationId\":{\"description\":\"Names this request in the logs.\","
            "\"schema\":{\"type\":\"string\"}},"
            "\"RetryAfter\":{\"description\":\"Seconds.\",\"schema\":{\"type\":\"integer\","
            "\"minimum\":0}}},"
            "\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\","
            "\"bearerFormat\":\"JWT\",\"description\":\"The access_token of signing in.\"}}}");
}

void openapi_write(const struct module *const *modules, const char *version, struct buf *out)
{
    buf_lit(out, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Parley\",");
    reference_text(out, "version", version);
    buf_lit(out, ",\"description\":\"Chat and social network: accounts, chats, posts, stories, "
                 "events and what happens in them. Times are RFC 3339 in UTC, ids are UUIDs, "
                 "unknown fields are refused.\",\"license\":{\"name\":\"Apache-2.0\","
                 "\"identifier\":\"Apache-2.0\"}},\"servers\":[{\"url\":\"/\"}],"
                 "\"security\":[{\"bearer\":[]}]");
    write_tags(modules, out);
    write_paths(modules, out);
    write_components(modules, out);
    buf_char(out, '}');
}
