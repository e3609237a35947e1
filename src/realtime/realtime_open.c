/* The two routes that become sessions: who it is, from where on, and over to the transport. */
#include "realtime/realtime_open.h"

#include "net/http_server.h"
#include "net/websocket.h"
#include "realtime/session.h"
#include "realtime/sse_session.h"
#include "realtime/ticket.h"
#include "realtime/watch.h"
#include "realtime/ws_session.h"

struct socket_query {
    struct slice pos;
};
static const struct schema_field socket_query_fields[] = {
    {"pos", "Resume after this position.", SCHEMA_STRING, 0, SCHEMA_AT(struct socket_query, pos)},
};
SCHEMA_DEF(realtime_socket_query_schema, struct socket_query, "SocketQuery", "Where to resume.",
           socket_query_fields);

/* A browser says which page opens a socket; foreign pages must be listed (C13, Z02). */
static int check_origin(struct request *req)
{
    struct slice origin = request_header_value(req, "origin");
    if (origin.ptr == NULL)
        return 0;
    for (size_t i = 0; i < config_list_count(req->kit->config, "origins"); i++) {
        const char *allowed = config_list_item(req->kit->config, "origins", i);
        if (strcmp(allowed, "*") == 0 || slice_eq(origin, slice_str(allowed)))
            return 0;
    }
    struct slice scheme = {0}, host = origin;
    if (slice_cut(&host, ':', &scheme) && slice_starts(host, SLICE("//")) &&
        slice_ieq(slice_of(host.ptr + 2, host.len - 2), req->head->host))
        return 0;
    return error_set(&req->error, FAIL_FORBIDDEN, "origin_not_allowed",
                     "Pages of this origin may not open a socket here.");
}

/* ["parley.v1", "bearer.<token>"]: the token of the subprotocol list, or the header's. */
static struct slice offered_token(const struct request *req, struct slice *ret_protocol)
{
    struct slice token = req->bearer;
    *ret_protocol = (struct slice){0};
    for (unsigned i = 0;; i++) {
        struct slice offer = ws_offered_protocol(req->head, i);
        if (offer.ptr == NULL)
            return token;
        if (slice_eq(offer, SLICE("parley.v1")))
            *ret_protocol = offer;
        else if (slice_starts(offer, SLICE("bearer.")) && token.ptr == NULL)
            token = slice_of(offer.ptr + 7, offer.len - 7);
    }
}

static int take_position(struct request *req, struct slice text, struct position *ret_position,
                         bool *ret_given)
{
    *ret_given = text.ptr != NULL;
    return text.ptr != NULL ? position_parse(text, ret_position, &req->error) : 0;
}

int realtime_open_socket(struct request *req)
{
    struct realtime *rt = req->room;
    const struct socket_query *query = req->query;
    struct slice protocol;
    struct ws_session_config config = {.peer = req->peer};
    config.token = offered_token(req, &protocol);
    int rc = check_origin(req);
    if (rc == 0)
        rc = take_position(req, query->pos, &config.from, &config.has_from);
    if (rc < 0)
        return rc;
    struct buf head;
    buf_init(&head, 4096);
    rc = ws_accept(req->head, protocol, true, &head, &config.deflate_bits, &req->error);
    if (rc == 0) {
        struct conn *conn = http_upgrade(req->exchange, buf_view(&head), &config.rest);
        if (conn != NULL)
            ws_session_start(rt, conn, &config);
    } else if (rc == FAIL_UPGRADE_REQUIRED) {
        request_header(req, "sec-websocket-version", "13");
    }
    buf_done(&head);
    return rc;
}

struct stream_query {
    struct slice pos, ticket;
    struct schema_list watch; /* struct slice */
};
static const struct schema_field stream_query_fields[] = {
    {"pos", "Resume after this position; Last-Event-ID goes before it.", SCHEMA_STRING, 0,
     SCHEMA_AT(struct stream_query, pos)},
    {"ticket", "Instead of the Authorization header.", SCHEMA_STRING, SCHEMA_SECRET,
     SCHEMA_AT(struct stream_query, ticket), .min = 1, .max = 64},
    {"watch", "Topics to watch while the stream is open, as of the op watch.", SCHEMA_LIST, 0,
     SCHEMA_AT(struct stream_query, watch), .max = WATCH_TOPICS_MAX, .element = SCHEMA_STRING,
     .element_min = 1, .element_max = WATCH_TOPIC_BYTES_MAX},
};
SCHEMA_DEF(realtime_stream_query_schema, struct stream_query, "StreamQuery", "Where to resume.",
           stream_query_fields);

static int stream_principal(struct request *req, const struct stream_query *query,
                            struct principal *ret_principal)
{
    struct realtime *rt = req->room;
    if (query->ticket.ptr != NULL)
        return ticket_check(rt, query->ticket, ret_principal, &req->error);
    if (req->principal != NULL) {
        *ret_principal = *req->principal;
        return 0;
    }
    if (req->bearer.ptr != NULL)
        return token_check(rt->kit->tokens, req->bearer, ret_principal, &req->error);
    return error_set(&req->error, FAIL_UNAUTHENTICATED, "token_required",
                     "Sign in, or show a ticket.");
}

static int resolve_watched(struct request *req, const struct principal *principal,
                           struct watched_topic watched[WATCH_TOPICS_MAX])
{
    const struct stream_query *query = req->query;
    const struct slice *topics = query->watch.items;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < query->watch.count; i++)
        rc = watch_resolve(req->room, principal, topics[i], &watched[i], &req->error);
    return rc;
}

#define STREAM_HEADERS                                                                             \
    "content-type: text/event-stream\r\ncache-control: no-store\r\nx-accel-buffering: no\r\n"

int realtime_open_stream(struct request *req)
{
    struct realtime *rt = req->room;
    const struct stream_query *query = req->query;
    struct principal principal;
    struct position from;
    bool given = false;
    struct watched_topic watched[WATCH_TOPICS_MAX];
    struct slice last = request_header_value(req, "last-event-id");
    int rc = check_origin(req);
    if (rc == 0)
        rc = stream_principal(req, query, &principal);
    if (rc == 0)
        rc =
            take_position(req, last.ptr != NULL && last.len > 0 ? last : query->pos, &from, &given);
    if (rc == 0)
        rc = resolve_watched(req, &principal, watched);
    if (rc < 0)
        return rc;
    if (req->head->method == HTTP_HEAD) { /* the head alone (RFC 9110, 9.3.2) */
        http_stream_start(req->exchange, 200, SLICE(STREAM_HEADERS));
        http_stream_end(req->exchange);
        return 0;
    }
    struct slice rest;
    struct conn *conn = http_upgrade(
        req->exchange, SLICE("HTTP/1.1 200 OK\r\n" STREAM_HEADERS "connection: close\r\n\r\n"),
        &rest);
    if (conn != NULL)
        sse_session_start(rt, conn, &principal, given ? &from : NULL, watched,
                          (unsigned)query->watch.count);
    return 0;
}
