/* From text frames to ops: the envelope, the limits, and the end of each op. */
#include "base/json.h"
#include "realtime/ws_private.h"

static const struct schema_field envelope_fields[] = {
    {"id", NULL, SCHEMA_RAW, 0, SCHEMA_AT(struct ws_envelope, id)},
    {"op", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct ws_envelope, op), .min = 1,
     .max = 64},
    {"data", NULL, SCHEMA_RAW, 0, SCHEMA_AT(struct ws_envelope, data)},
};
static SCHEMA_DEF(envelope_schema, struct ws_envelope, "SocketFrame", "A frame from the client.",
                  envelope_fields);

/* The end of an op: also releases the session's hold for it. */
static void op_answer(struct realtime_session *session, struct slice id, bool failed,
                      struct slice json)
{
    struct ws_session *s = ws_of(session);
    ws_answer(s, id, failed, json);
    s->calls--;
    ws_backlog_poke(s, WS_WAITS_FOR_CALLS);
    ws_unref(s);
}

void ws_refuse(struct ws_session *s, const struct op_source *source, struct slice id,
               const struct error *err)
{
    s->calls++;
    s->refs++;
    ops_refuse(source, id, err);
}

static bool too_many(struct ws_session *s)
{
    struct realtime *rt = s->realtime;
    if (rt->ops_per_second == 0)
        return false;
    uint32_t now_s = (uint32_t)(loop_now_ms(s->conn->loop) / 1000);
    if (now_s != s->window_s) {
        s->window_s = now_s;
        s->window_ops = 0;
    }
    return ++s->window_ops > rt->ops_per_second;
}

static void handle_op(struct ws_session *s, const struct op_source *source,
                      const struct ws_envelope *in)
{
    if (slice_eq(in->op, SLICE("ping"))) {
        ws_answer(s, in->id, false, SLICE("{}"));
        return;
    }
    const struct op_entry *entry = ops_find(s->realtime, in->op);
    if (entry == NULL) {
        struct error err;
        error_init(&err);
        error_set(&err, FAIL_NOT_FOUND, "unknown_op", "There is no op called \"%.*s\".",
                  SLICE_FMT(in->op));
        ws_refuse(s, source, in->id, &err);
        return;
    }
    s->calls++;
    s->refs++;
    ops_call(source, entry, in->id, in->data);
}

static bool id_allowed(struct slice id)
{
    return id.ptr == NULL || (id.len <= OP_ID_MAX && id.ptr[0] != '{' && id.ptr[0] != '[');
}

/* Whoever waits for an answer hears of the fault, if it can be said for sure who that is. */
static struct slice id_of_refused(struct slice text, struct arena *arena)
{
    struct slice id = json_member_before_fault(text, "id", arena);
    return id_allowed(id) ? id : (struct slice){0};
}

void ws_handle_text(struct ws_session *s, struct slice text)
{
    const struct op_source source = {.realtime = s->realtime,
                                     .session = &s->base,
                                     .principal = &s->base.principal,
                                     .peer = s->peer,
                                     .answer = op_answer};
    struct arena *arena = &s->answers->arena;
    struct ws_envelope in;
    struct error err;
    error_init(&err);
    int rc = schema_decode(&envelope_schema, text, arena, &in, &err);
    if (rc == 0 && !id_allowed(in.id))
        rc = error_field(&err, "id", "too_long", "id is a number or a text of at most %d bytes.",
                         OP_ID_MAX);
    if (rc == 0 && too_many(s)) {
        if (s->window_ops > s->realtime->ops_per_second * 4)
            ws_close_with(s, WS_CODE_FLOOD, SLICE("too_many_requests"));
        rc = error_limited(&err, "too_many_requests", 1000, "At most %u ops in a second.",
                           s->realtime->ops_per_second);
    }
    if (rc < 0)
        ws_refuse(s, &source, err.kind == FAIL_LIMITED ? in.id : id_of_refused(text, arena), &err);
    else if (slice_eq(in.op, SLICE("auth")))
        ws_handle_auth(s, &source, &in, arena);
    else if (s->authenticated)
        handle_op(s, &source, &in);
    else
        ws_close_with(s, WS_CODE_AUTH, SLICE("sign_in_required"));
    arena_reset(arena);
}
