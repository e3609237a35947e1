/* Signing a WebSocket in: by the handshake's token, or by a first frame `auth`; the same op later
 * brings a fresh access token to a session that is open. */
#include "realtime/ws_private.h"

struct auth_data {
    struct slice access_token, pos;
};

static const struct schema_field auth_fields[] = {
    {"access_token", "The access token.", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_SECRET,
     SCHEMA_AT(struct auth_data, access_token), .min = 1, .max = 8192},
    {"pos", "Resume after this position.", SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct auth_data, pos)},
};
SCHEMA_DEF(ws_auth_schema, struct auth_data, "SocketAuth", "Signs a socket in.", auth_fields);

static void open_main(void *arg)
{
    struct ws_session *s = arg;
    struct error err;
    error_init(&err);
    /* The socket may have gone, or said goodbye, before this coroutine had its turn. */
    int rc = s->closing ? 0
                        : session_open(&s->base, realtime_hub(s->realtime),
                                       s->has_from ? &s->from : NULL, &err);
    s->opening = false;
    if (rc < 0 && rc != FAIL_CLOSED) {
        if (err.kind == FAIL_UNAVAILABLE)
            ws_close_with(s, 4009, SLICE("{\"retry_after\":1}"));
        else
            ws_close_with(s, 1011, slice_str(err.code != NULL ? err.code : "internal_error"));
    }
    ws_unref(s);
}

static void start_opening(struct ws_session *s)
{
    struct error err;
    error_init(&err);
    s->opening = true;
    s->refs++;
    if (coro_spawn(loop_current(), open_main, s, &err) < 0) {
        s->opening = false;
        ws_close_with(s, 1013, slice_str(err.code));
        ws_unref(s);
    }
}

/* Takes the token; false when it is refused (err says why). */
static bool sign_in(struct ws_session *s, struct slice token, struct error *err)
{
    struct principal principal;
    if (token_check(s->realtime->kit->tokens, token, &principal, err) < 0)
        return false;
    if (s->authenticated) {
        if (!id_eq(&principal.user, &s->base.principal.user)) {
            error_set(err, FAIL_FORBIDDEN, "other_user", "The token is of another user.");
            return false;
        }
        session_renew(&s->base, &principal);
        return true;
    }
    s->authenticated = true;
    timer_stop(&s->base.heartbeat);
    session_init(&s->base, s->deflate ? &ws_deflate_ops : &ws_plain_ops, &principal);
    return true;
}

static void auth_timed_out(struct timer *timer)
{
    struct ws_session *s = CONTAINER_OF(timer, struct ws_session, base.heartbeat);
    ws_close_with(s, WS_CODE_AUTH, SLICE("sign_in_required"));
}

static int decode_auth(struct ws_session *s, const struct ws_envelope *in, struct arena *arena,
                       struct auth_data *auth, struct error *err)
{
    int rc = schema_decode(&ws_auth_schema, in->data.ptr != NULL ? in->data : SLICE("{}"), arena,
                           auth, err);
    if (rc == 0 && auth->pos.ptr != NULL) {
        rc = position_parse(auth->pos, &s->from, err);
        s->has_from = rc == 0;
    }
    return rc;
}

void ws_handle_auth(struct ws_session *s, const struct op_source *source,
                    const struct ws_envelope *in, struct arena *arena)
{
    struct auth_data auth = {0};
    struct error err;
    error_init(&err);
    bool first = !s->authenticated;
    int rc = decode_auth(s, in, arena, &auth, &err);
    bool good = rc == 0 && sign_in(s, auth.access_token, &err);
    if (!good) {
        ws_refuse(s, source, in->id, &err);
        bool keep = err.kind == FAIL_BAD_REQUEST || err.kind == FAIL_INVALID;
        if (!keep || first)
            ws_close_with(s, WS_CODE_AUTH, slice_str(err.code));
        return;
    }
    if (in->id.ptr != NULL)
        ws_answer(s, in->id, false, SLICE("{}"));
    if (first)
        start_opening(s);
}

void ws_sign_in_init(struct ws_session *s)
{
    timer_init(&s->base.heartbeat, auth_timed_out);
}

void ws_sign_in_first(struct ws_session *s, struct slice token)
{
    struct error err;
    error_init(&err);
    if (token.ptr == NULL)
        timer_start(s->conn->loop, &s->base.heartbeat, s->realtime->auth_timeout_ms);
    else if (sign_in(s, token, &err))
        start_opening(s);
    else
        ws_close_with(s, WS_CODE_AUTH, slice_str(err.code));
}
