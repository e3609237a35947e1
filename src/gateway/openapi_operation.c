/* One route as an OpenAPI operation, and the answers that many routes share. */
#include "gateway/openapi_operation.h"

#include "base/json.h"
#include "gateway/edge_body.h"
#include "gateway/reference.h"

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
    WHEN_NO_BODY = 1 << 8, /* changes something and takes no body */
    WHEN_CURSOR = 1 << 9,
    WHEN_NO_QUERY = 1 << 10, /* refuses one */
    WHEN_LIST = 1 << 11,     /* answers with one */
};

/* What refusals of one status have in common. */
struct common {
    int status;
    const char *name; /* under components/responses */
    unsigned when;    /* any of these; 0: only where the route names a code of this status */
    const char *doc;
    const char *codes[6];
};

static const struct common commons[] = {
    {400,
     "BadRequest",
     WHEN_INPUT | WHEN_NO_BODY | WHEN_POST | WHEN_NO_QUERY,
     "Malformed: no JSON, an unknown or doubled field, a bad query, a body where none is taken.",
     {"invalid_json", "unknown_field", "duplicate_key", "invalid_query"}},
    {401,
     "Unauthenticated",
     WHEN_TOKEN,
     "No token or another way to sign in, or one that does not hold.",
     {"token_required", "invalid_token", "token_expired", "token_not_yet_valid", "token_revoked"}},
    {403, "Forbidden", WHEN_SCOPES, "Not for this role or person to do.", {"forbidden"}},
    {404, "NotFound", WHEN_PARAMS, "Not there, or not for this user to see.", {"not_found"}},
    {409,
     "Conflict",
     WHEN_POST,
     "It does not go with how things are now; of a POST also: a request with the same "
     "Idempotency-Key is still running.",
     {"idempotency_key_in_use"}},
    {410, "Gone", 0, "It was there and has been taken back.", {NULL}},
    /* Its code, "stale", is among the route's own: that is how a route says that it takes one. */
    {412, "Stale", 0, "It has changed since it was read: not what If-Match names.", {NULL}},
    {413,
     "TooLarge",
     WHEN_INPUT | WHEN_NO_BODY | WHEN_LIST,
     "The body is larger than this route takes, or what was asked for than an answer can be.",
     {NULL}},
    {415,
     "MediaType",
     WHEN_BODY,
     "The body is of another type, or coded in a way that is not known here.",
     {"media_type", "content_coding"}},
    {422,
     "Invalid",
     WHEN_INPUT | WHEN_POST,
     "Well-formed, but fields are wrong; each is named in `errors`.",
     {"invalid_fields"}},
    {426, "UpgradeRequired", 0, "Only for a WebSocket handshake, of version 13.", {NULL}},
    {429, "Limited", WHEN_LIMIT, "Too many requests, or too much of one thing.", {"rate_limited"}},
    {503, "Unavailable", WHEN_ALWAYS, "Too busy, or a part is away; try again later.", {"busy"}},
    {504, "Timeout", WHEN_ALWAYS, "It took longer than it may.", {"request_timeout"}},
};

/* Codes that do not come wherever the answer of their status can. */
static const struct {
    unsigned when;
    const char *code;
} more_codes[] = {
    {WHEN_POST, "invalid_idempotency_key"},
    {WHEN_POST, "idempotency_key_reused"},
    {WHEN_BODY, "bad_content_coding"},
    {WHEN_BODY | WHEN_NO_BODY, "body_too_large"},
    {WHEN_INPUT, "too_large"},
    {WHEN_LIST, "answer_too_large"},
    {WHEN_LIST, "page_too_large"},
    {WHEN_LIST, "result_too_large"},
    {WHEN_NO_BODY, "unexpected_body"},
    {WHEN_CURSOR, "invalid_cursor"},
};

static const char *const methods[] = {
    [HTTP_GET] = "get",         [HTTP_HEAD] = "head",   [HTTP_POST] = "post",
    [HTTP_PUT] = "put",         [HTTP_PATCH] = "patch", [HTTP_DELETE] = "delete",
    [HTTP_OPTIONS] = "options",
};

static bool names_code(const struct route *r, const char *code)
{
    for (const struct route_error *e = r->errors; e != NULL && e->code != NULL; e++)
        if (strcmp(e->code, code) == 0)
            return true;
    return false;
}

static bool names_status(const struct route *r, int status)
{
    for (const struct route_error *e = r->errors; e != NULL && e->code != NULL; e++)
        if (e->status == status)
            return true;
    return false;
}

/* Whether the answer can be 304: the client has it already. */
static bool may_be_known(const struct route *r)
{
    return r->etag && r->method == HTTP_GET;
}

static bool takes_if_match(const struct route *r)
{
    return names_code(r, "stale");
}

static bool takes_cursor(const struct route *r)
{
    for (size_t i = 0; r->query != NULL && i < r->query->field_count; i++)
        if (strcmp(r->query->fields[i].name, "cursor") == 0)
            return true;
    return false;
}

static bool takes_no_body(const struct route *r)
{
    return r->body == NULL && ((r->flags & ROUTE_NO_BODY) != 0 || r->method == HTTP_DELETE);
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
    if (takes_no_body(r))
        when |= WHEN_NO_BODY;
    if (takes_cursor(r))
        when |= WHEN_CURSOR;
    if (r->query == NULL && !edge_ignores_query(r))
        when |= WHEN_NO_QUERY;
    if ((r->flags & ROUTE_PUBLIC) == 0 || (r->flags & ROUTE_ASKS_ITSELF) != 0)
        when |= WHEN_TOKEN;
    if (r->answer_list)
        when |= WHEN_LIST;
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
        before = ",";
    }
    if (takes_if_match(r)) {
        buf_str(out, before);
        buf_lit(out, "{\"$ref\":\"#/components/parameters/IfMatch\"}");
        before = ",";
    }
    if (may_be_known(r)) {
        buf_str(out, before);
        buf_lit(out, "{\"$ref\":\"#/components/parameters/IfNoneMatch\"}");
    }
    buf_char(out, ']');
}

static void write_body(const struct route *r, struct buf *out)
{
    if (r->body == NULL)
        return;
    buf_printf(out,
               ",\"requestBody\":{\"required\":%s,\"content\":{\"application/json\":{\"schema\":",
               (r->flags & ROUTE_OPTIONAL_BODY) != 0 ? "false" : "true");
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

/* --- headers of answers ------------------------------------------------------------------------
 */

enum header { /* bits of what an answer can have */
              HEADER_ETAG = 1 << 0,
              HEADER_LIMIT = 1 << 1,
              HEADER_RETRY = 1 << 2,
              HEADER_CHALLENGE = 1 << 3,
              HEADER_DOWNLOAD = 1 << 4,
};

static const struct {
    unsigned when; /* 0: always */
    const char *header, *name, *doc, *schema;
    bool sure; /* where it can be, it is */
} headers[] = {
    {0, "x-correlation-id", "CorrelationId",
     "Names this request in the logs: the one that was sent, or a new one.",
     "{\"type\":\"string\"}", true},
    {HEADER_ETAG, "etag", "ETag",
     "Names this state of the resource, for If-Match and If-None-Match.", "{\"type\":\"string\"}",
     true},
    {HEADER_LIMIT, "ratelimit", "RateLimit",
     "What is left (r) of a limit, and in how many seconds there is more (t).",
     "{\"type\":\"string\"}", false},
    {HEADER_LIMIT, "ratelimit-policy", "RateLimitPolicy",
     "A limit: how many (q) in how many seconds (w).", "{\"type\":\"string\"}", false},
    {HEADER_RETRY, "retry-after", "RetryAfter", "Seconds after which to try again.",
     "{\"type\":\"integer\",\"minimum\":0}", false},
    {HEADER_CHALLENGE, "www-authenticate", "WWWAuthenticate", "How to sign in (RFC 6750).",
     "{\"type\":\"string\"}", false},
    {HEADER_DOWNLOAD, "content-disposition", "ContentDisposition",
     "The name under which to save it.", "{\"type\":\"string\"}", true},
};

void openapi_write_headers(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        buf_printf(out, "%s\"%s\":{", i > 0 ? "," : "", headers[i].name);
        reference_text(out, "description", headers[i].doc);
        buf_printf(out, ",\"required\":%s,\"schema\":%s}", headers[i].sure ? "true" : "false",
                   headers[i].schema);
    }
}

static void write_headers(unsigned can, struct buf *out)
{
    const char *before = "";
    buf_lit(out, ",\"headers\":{");
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        if (headers[i].when != 0 && (headers[i].when & can) == 0)
            continue;
        buf_printf(out, "%s\"%s\":{\"$ref\":\"#/components/headers/%s\"}", before,
                   headers[i].header, headers[i].name);
        before = ",";
    }
    buf_char(out, '}');
}

/* --- answers -----------------------------------------------------------------------------------
 */

static unsigned success_headers(const struct route *r)
{
    unsigned can = (r->etag ? HEADER_ETAG : 0u) | (r->download ? HEADER_DOWNLOAD : 0u);
    return r->limit != LIMIT_NONE ? can | HEADER_LIMIT : can;
}

static void write_content(const struct route *r, const struct schema *answer, struct buf *out)
{
    struct slice type,
        rest = slice_str(r->answer_type != NULL ? r->answer_type : "application/json");
    slice_cut(&rest, ';', &type);
    buf_lit(out, ",\"content\":{");
    json_write_string(out, type);
    buf_lit(out, ":{\"schema\":");
    if (answer == NULL) /* a document of somebody else's making, or text */
        buf_str(out, slice_eq(type, SLICE("application/json")) ? "{\"type\":\"object\"}"
                                                               : "{\"type\":\"string\"}");
    else if (r->answer_list && answer == r->answer)
        write_list(answer, out);
    else
        reference_to(out, answer->name);
    buf_lit(out, "}}");
}

static void write_success(const struct route *r, int status, const struct schema *answer,
                          struct buf *out)
{
    buf_printf(out, "\"%d\":{", status);
    reference_text(out, "description", error_http_title(status));
    write_headers(success_headers(r), out);
    if (answer != NULL || (r->answer_type != NULL && status == r->status))
        write_content(r, answer, out);
    buf_char(out, '}');
}

static void write_responses(const struct route *r, struct buf *out)
{
    unsigned when = applies(r);
    buf_lit(out, ",\"responses\":{");
    write_success(r, r->status != 0 ? r->status : 200, r->answer, out);
    if (r->other_status != 0) {
        buf_char(out, ',');
        write_success(r, r->other_status, r->other_answer, out);
    }
    if (may_be_known(r)) {
        buf_char(out, ',');
        write_success(r, 304, NULL, out);
    }
    for (size_t i = 0; i < ARRAY_LEN(commons); i++)
        if (((commons[i].when & when) != 0 || names_status(r, commons[i].status)) &&
            commons[i].status != r->other_status)
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
    for (size_t i = 0; i < ARRAY_LEN(more_codes); i++) {
        if ((more_codes[i].when & when) == 0 || names_code(r, more_codes[i].code))
            continue;
        buf_printf(out, "%s\"%s\"", before, more_codes[i].code);
        before = ",";
    }
    for (const struct route_error *e = r->errors; e != NULL && e->code != NULL; e++) {
        buf_printf(out, "%s\"%s\"", before, e->code);
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
    for (const struct route_error *e = r->errors; e != NULL && e->code != NULL; e++) {
        if (e == r->errors)
            buf_str(&text, r->doc != NULL ? "\n\nErrors of its own: " : "Errors: ");
        buf_printf(&text, "%s%d `%s`", e != r->errors ? ", " : "", e->status, e->code);
    }
    if (text.len != 0) {
        buf_lit(out, ",\"description\":");
        json_write_string(out, buf_view(&text));
    }
    buf_done(&text);
}

static void write_security(const struct route *r, struct buf *out)
{
    if ((r->flags & ROUTE_ASKS_ITSELF) != 0)
        buf_lit(out, ",\"security\":[{\"bearer\":[]},{}]");
    else if ((r->flags & ROUTE_PUBLIC) != 0)
        buf_lit(out, ",\"security\":[]");
    else if ((r->scopes & SCOPE_ADMIN) != 0)
        buf_lit(out, ",\"security\":[{\"bearer\":[\"admin\"]}]");
    else if ((r->scopes & SCOPE_MODERATE) != 0)
        buf_lit(out, ",\"security\":[{\"bearer\":[\"moderator\"]}]");
}

const char *openapi_tag(const struct module *m, const struct route *r)
{
    return r->tag != NULL ? r->tag : m->name;
}

void openapi_write_operation(const struct module *m, const struct route *r, struct buf *out)
{
    buf_printf(out, "\"%s\":{\"operationId\":\"", methods[r->method]);
    operation_id(r, out);
    buf_lit(out, "\",\"tags\":[");
    json_write_string(out, slice_str(openapi_tag(m, r)));
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

static void write_response(const char *name, const char *doc, unsigned can, struct buf *out)
{
    buf_printf(out, "\"%s\":{", name);
    reference_text(out, "description", doc);
    write_headers(can, out);
    buf_lit(out, ",\"content\":{\"application/problem+json\":{\"schema\":");
    reference_to(out, "Problem");
    buf_lit(out, "}}}");
}

void openapi_write_responses(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(commons); i++) {
        const struct common *c = &commons[i];
        unsigned can = HEADER_LIMIT;
        if (c->status == 429 || c->status == 503)
            can |= HEADER_RETRY;
        if (c->status == 401)
            can |= HEADER_CHALLENGE;
        write_response(c->name, c->doc, can, out);
        buf_char(out, ',');
    }
    write_response("Error", "Any other error: see the codes of the operation.",
                   HEADER_LIMIT | HEADER_RETRY | HEADER_CHALLENGE, out);
}
