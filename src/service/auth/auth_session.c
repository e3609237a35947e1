/* Sessions: how one begins, goes on by refresh, and ends (A01 to A03). */
#include "service/auth/auth_room.h"
#include "service/auth/auth_store_session.h"

void auth_new_session(struct auth *auth, struct auth_new_session *ret_session)
{
    ret_session->id = id_new(auth->kit->clock);
    ret_session->now_ms = auth_now(auth);
    ret_session->expires_ms = ret_session->now_ms + auth->refresh_ttl_ms;
    auth_refresh_token_make(auth->refresh_key, &ret_session->id, &ret_session->refresh);
}

static int end_and_emit(struct kit *kit, struct db_tx *tx, const struct id *user,
                        const struct id *session, struct slice correlation_id, bool *ret_ended,
                        struct error *err)
{
    struct auth_session_revoked data = {.user_id = *user, .session_id = *session};
    int rc = auth_store_end_session(tx, session, user, clock_wall_ms(kit->clock), ret_ended, err);
    if (rc == 0 && *ret_ended)
        rc = auth_emit_revoked(kit, tx, &data, correlation_id, err);
    return rc;
}

/* Ends those of the user's sessions that come after the newest `keep`. */
static int end_beyond(struct kit *kit, struct db_tx *tx, const struct id *user, unsigned keep,
                      const struct id *except, struct slice correlation_id,
                      struct id ids[AUTH_SESSIONS_MAX], size_t *ret_count, struct error *err)
{
    static const struct id newest; /* nil: from the newest on */
    struct arena arena;
    struct auth_session *sessions = NULL;
    size_t found = 0, count = 0;
    arena_init(&arena, 1 << 20);
    int rc = auth_store_sessions(tx, user, &newest, clock_wall_ms(kit->clock), keep,
                                 AUTH_SESSIONS_MAX, &arena, &sessions, &found, err);
    for (size_t i = 0; rc == 0 && i < found; i++) {
        bool ended = false;
        if (except != NULL && id_eq(&sessions[i].id, except))
            continue;
        rc = end_and_emit(kit, tx, user, &sessions[i].id, correlation_id, &ended, err);
        if (ended)
            ids[count++] = sessions[i].id;
    }
    arena_done(&arena);
    *ret_count = count;
    return rc;
}

int auth_write_end_others(struct kit *kit, struct db_tx *tx, const struct id *user,
                          const struct id *except, struct slice correlation_id,
                          struct id ids[AUTH_SESSIONS_MAX], size_t *ret_count, struct error *err)
{
    return end_beyond(kit, tx, user, 0, except, correlation_id, ids, ret_count, err);
}

int auth_write_session(struct auth *auth, struct db_tx *tx, const struct auth_new_session *session,
                       const struct id *user, struct slice device_name, struct slice correlation_id,
                       struct error *err)
{
    struct id ended[AUTH_SESSIONS_MAX];
    size_t count;
    int rc = auth_store_insert_session(tx, &session->id, user, device_name, session->refresh.hash,
                                       session->now_ms, session->expires_ms, err);
    if (rc == 0)
        rc = end_beyond(auth->kit, tx, user, AUTH_SESSIONS_MAX, NULL, correlation_id, ended, &count,
                        err);
    return rc;
}

int auth_profile(struct auth *auth, const struct auth_call *call, const struct id *user,
                 const struct user_profile **ret_profile, struct error *err)
{
    const struct user_calls *users = kit_calls(auth->kit, "user");
    struct user_profile *profile = arena_zalloc(call->arena, sizeof *profile);
    struct error why;
    error_init(&why);
    if (profile == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    int rc = users->get(users->room, user, call->arena, profile, &why);
    /* Just made, perhaps by an operator while this server was down: its event is on the way. */
    struct error waited;
    error_init(&waited);
    if (rc == FAIL_NOT_FOUND &&
        auth->wait_profile(auth, event_log_head(auth->kit->log), &waited) == 0) {
        error_init(&why);
        rc = users->get(users->room, user, call->arena, profile, &why);
    }
    if (rc == FAIL_NOT_FOUND)
        return error_set(err, FAIL_FORBIDDEN, "account_pending",
                         "The account is still being made; try again in a moment.");
    if (rc < 0)
        return error_set(err, (enum fail)rc, why.code, "%s", why.detail);
    *ret_profile = profile;
    return 0;
}

bool auth_same_standing(const struct auth_account *a, const struct auth_account *b)
{
    return slice_eq(a->password_hash, b->password_hash) && a->role == b->role &&
           a->is_active == b->is_active && a->deactivated_at == b->deactivated_at &&
           a->tokens_valid_from == b->tokens_valid_from;
}

int auth_fill_tokens(struct auth *auth, const struct auth_call *call,
                     const struct auth_account *account, const struct id *session,
                     struct slice refresh_token, struct auth_grant *ret_grant, struct error *err)
{
    struct principal principal = {
        .user = account->user, .session = *session, .role = account->role};
    struct buf token;
    buf_init(&token, JWT_BYTES_MAX);
    int rc = token_issue(auth->kit->tokens, &principal, &token, err);
    *ret_grant = (struct auth_grant){.access_token = arena_copy(call->arena, buf_view(&token)),
                                     .token_type = SLICE("Bearer"),
                                     .expires_in = auth->access_ttl_ms / 1000,
                                     .refresh_token = arena_copy(call->arena, refresh_token)};
    buf_done(&token);
    if (rc == 0 && (ret_grant->access_token.ptr == NULL || ret_grant->refresh_token.ptr == NULL))
        rc = error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    return rc;
}

int auth_fill_grant(struct auth *auth, const struct auth_call *call,
                    const struct auth_account *account, const struct id *session,
                    struct slice refresh_token, struct auth_grant *ret_grant, struct error *err)
{
    const struct user_profile *profile;
    int rc = auth_profile(auth, call, &account->user, &profile, err);
    if (rc == 0)
        rc = auth_fill_tokens(auth, call, account, session, refresh_token, ret_grant, err);
    if (rc == 0)
        ret_grant->user = profile;
    return rc;
}

/* --- refresh -----------------------------------------------------------------------------------
 */

enum verdict { ROTATE, REPEAT, REUSED };
enum { REFRESH_ROUNDS = 3 };

struct refresh {
    struct auth *auth;
    const struct auth_call *call;
    struct auth_refresh_token used, next;
    struct auth_session_row session;
    struct auth_account account;
    struct slice sealed; /* the answer given before; absent when there is none */
    bool session_found, account_found, rotated;
    int64_t now_ms;
};

static int load_refresh_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct refresh *r = arg;
    int rc = auth_store_get_session(tx, &r->used.session, &r->session, &r->session_found, err);
    if (rc == 0 && r->session_found)
        rc = auth_store_get_account(tx, &r->session.user, r->call->arena, &r->account,
                                    &r->account_found, err);
    if (rc == 0 && r->session_found)
        rc = auth_store_get_answer(tx, r->used.hash, r->now_ms, r->call->arena, &r->sealed, err);
    return rc;
}

static int judge(const struct refresh *r, enum verdict *ret_verdict, struct error *err)
{
    if (!r->session_found || !r->account_found)
        return error_set(err, FAIL_UNAUTHENTICATED, "invalid_refresh_token",
                         "The refresh token is not valid.");
    /* First: that ended its sessions too. */
    if (!r->account.is_active && r->account.deactivated_at == 0)
        return error_set(err, FAIL_FORBIDDEN, "account_disabled", "This account is disabled.");
    if (!r->account.is_active || r->session.ended || r->session.expires_at <= r->now_ms)
        return error_set(err, FAIL_UNAUTHENTICATED, "session_ended",
                         "The session has ended; sign in again.");
    if (seal_equal(r->session.refresh_hash, r->used.hash, sizeof r->used.hash))
        *ret_verdict = ROTATE;
    else
        *ret_verdict = r->sealed.ptr != NULL ? REPEAT : REUSED;
    return 0;
}

static int rotate_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct refresh *r = arg;
    struct auth_account now;
    bool found = false;
    int rc = auth_store_get_account(tx, &r->account.user, r->call->arena, &now, &found, err);
    if (rc < 0 || !found || !auth_same_standing(&r->account, &now))
        return rc; /* what has been signed is true no more */
    rc = auth_store_rotate(tx, &r->session.id, r->used.hash, r->next.hash, r->now_ms,
                           r->now_ms + r->auth->refresh_ttl_ms, &r->rotated, err);
    if (rc == 0 && r->rotated)
        rc = auth_store_put_answer(tx, r->used.hash, r->now_ms + AUTH_REFRESH_GRACE_MS, r->sealed,
                                   err);
    return rc;
}

/* What is kept for ten seconds: both tokens, readable only with the token that was used. */
static int seal_answer(struct refresh *r, const struct auth_grant *grant, struct error *err)
{
    uint8_t key[SEAL_KEY_BYTES];
    struct buf plain, sealed;
    buf_init(&plain, JWT_BYTES_MAX + 256);
    buf_init(&sealed, JWT_BYTES_MAX + 512);
    buf_slice(&plain, grant->refresh_token);
    buf_slice(&plain, grant->access_token);
    auth_refresh_answer_key(r->auth->refresh_key, &r->used, key);
    int rc = seal_close(key, buf_view(&plain), &sealed, err);
    r->sealed = arena_copy(r->call->arena, buf_view(&sealed));
    buf_done(&plain);
    buf_done(&sealed);
    if (rc == 0 && r->sealed.ptr == NULL)
        rc = error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    return rc;
}

static int rotate(struct refresh *r, struct auth_grant *ret_grant, struct error *err)
{
    auth_refresh_token_make(r->auth->refresh_key, &r->session.id, &r->next);
    int rc = auth_fill_grant(r->auth, r->call, &r->account, &r->session.id, slice_str(r->next.text),
                             ret_grant, err);
    if (rc == 0)
        rc = seal_answer(r, ret_grant, err);
    if (rc == 0)
        rc = db_write(r->auth->db, rotate_tx, r, err);
    return rc;
}

static int repeat(struct refresh *r, struct auth_grant *ret_grant, struct error *err)
{
    uint8_t key[SEAL_KEY_BYTES];
    struct buf plain;
    buf_init(&plain, JWT_BYTES_MAX + 256);
    auth_refresh_answer_key(r->auth->refresh_key, &r->used, key);
    bool good = seal_open(key, r->sealed, &plain) && plain.len > AUTH_REFRESH_TEXT;
    struct slice both = good ? arena_copy(r->call->arena, buf_view(&plain)) : (struct slice){0};
    buf_done(&plain);
    if (both.ptr == NULL)
        return error_set(err, FAIL_INTERNAL, "damaged_answer", "The kept answer cannot be read.");
    *ret_grant = (struct auth_grant){
        .access_token = slice_of(both.ptr + AUTH_REFRESH_TEXT, both.len - AUTH_REFRESH_TEXT),
        .token_type = SLICE("Bearer"),
        .expires_in = r->auth->access_ttl_ms / 1000,
        .refresh_token = slice_of(both.ptr, AUTH_REFRESH_TEXT),
    };
    return auth_profile(r->auth, r->call, &r->account.user, &ret_grant->user, err);
}

static int end_reused(struct refresh *r, struct error *err)
{
    struct error ended;
    error_init(&ended);
    int rc = auth_end_session(r->auth, r->call, &r->session.user, &r->session.id, &ended);
    if (rc < 0 && rc != FAIL_NOT_FOUND)
        return error_set(err, (enum fail)rc, ended.code, "%s", ended.detail);
    return error_set(err, FAIL_UNAUTHENTICATED, "refresh_token_reused",
                     "This refresh token was used before, so the session has been ended.");
}

int auth_refresh(struct auth *auth, const struct auth_call *call, struct slice refresh_token,
                 struct auth_grant *ret_grant, struct error *err)
{
    struct refresh r = {.auth = auth, .call = call};
    enum verdict verdict = ROTATE;
    if (!auth_refresh_token_read(auth->refresh_key, refresh_token, &r.used))
        return error_set(err, FAIL_UNAUTHENTICATED, "invalid_refresh_token",
                         "The refresh token is not valid.");
    /* Whoever finds the token used up between reading and writing reads again, and then finds the
     * answer that the other got; whoever finds the account changed signs again. */
    for (int attempt = 0; attempt < REFRESH_ROUNDS && !r.rotated && verdict == ROTATE; attempt++) {
        r.now_ms = auth_now(auth);
        int rc = db_read(auth->db, load_refresh_tx, &r, err);
        if (rc == 0)
            rc = judge(&r, &verdict, err);
        if (rc == 0 && verdict == ROTATE)
            rc = rotate(&r, ret_grant, err);
        if (rc < 0)
            return rc;
    }
    if (verdict == REPEAT)
        return repeat(&r, ret_grant, err);
    if (verdict == REUSED)
        return end_reused(&r, err);
    return r.rotated ? 0
                     : error_set(err, FAIL_UNAVAILABLE, "busy",
                                 "The session is being refreshed elsewhere; try again.");
}

/* --- endings -----------------------------------------------------------------------------------
 */

struct ending {
    struct auth *auth;
    const struct auth_call *call;
    const struct id *user, *session;
    bool ended;
    int64_t before_ms; /* all tokens that were issued earlier have ended */
};

static int end_one_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct ending *e = arg;
    return end_and_emit(e->auth->kit, tx, e->user, e->session, e->call->correlation_id, &e->ended,
                        err);
}

int auth_end_session(struct auth *auth, const struct auth_call *call, const struct id *user,
                     const struct id *session, struct error *err)
{
    struct ending e = {.auth = auth, .call = call, .user = user, .session = session};
    int rc = db_write(auth->db, end_one_tx, &e, err);
    if (rc < 0)
        return rc;
    if (!e.ended)
        return error_set(err, FAIL_NOT_FOUND, "session_not_found", "There is no such session.");
    token_revoke_session(auth->kit->tokens, session);
    return 0;
}

int auth_end_by_refresh(struct auth *auth, const struct auth_call *call, struct slice refresh_token,
                        struct error *err)
{
    struct refresh r = {.auth = auth, .call = call, .now_ms = auth_now(auth)};
    if (!auth_refresh_token_read(auth->refresh_key, refresh_token, &r.used))
        return error_set(err, FAIL_UNAUTHENTICATED, "invalid_refresh_token",
                         "The refresh token is not valid.");
    int rc = db_read(auth->db, load_refresh_tx, &r, err);
    if (rc < 0 || !r.session_found)
        return rc;
    struct error ended;
    error_init(&ended);
    rc = auth_end_session(auth, call, &r.session.user, &r.session.id, &ended);
    if (rc < 0 && rc != FAIL_NOT_FOUND)
        return error_set(err, (enum fail)rc, ended.code, "%s", ended.detail);
    return 0;
}

int auth_write_refuse_tokens(struct kit *kit, struct db_tx *tx, const struct id *user,
                             struct slice correlation_id, int64_t *ret_before_ms, struct error *err)
{
    /* The next millisecond: a token of this very one is refused too. */
    struct auth_session_revoked data = {.user_id = *user, .before = clock_wall_ms(kit->clock) + 1};
    *ret_before_ms = data.before;
    int rc = auth_store_set_tokens_valid_from(tx, user, data.before, err);
    return rc < 0 ? rc : auth_emit_revoked(kit, tx, &data, correlation_id, err);
}

int auth_write_end_all(struct kit *kit, struct db_tx *tx, const struct id *user,
                       struct slice correlation_id, int64_t *ret_before_ms, struct error *err)
{
    struct id ended[AUTH_SESSIONS_MAX];
    size_t count;
    int rc = auth_write_end_others(kit, tx, user, NULL, correlation_id, ended, &count, err);
    return rc < 0 ? rc
                  : auth_write_refuse_tokens(kit, tx, user, correlation_id, ret_before_ms, err);
}

static int end_all_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct ending *e = arg;
    return auth_write_end_all(e->auth->kit, tx, e->user, e->call->correlation_id, &e->before_ms,
                              err);
}

int auth_end_all(struct auth *auth, const struct auth_call *call, const struct id *user,
                 struct error *err)
{
    struct ending e = {.auth = auth, .call = call, .user = user};
    int rc = db_write(auth->db, end_all_tx, &e, err);
    if (rc < 0)
        return rc;
    token_revoke_user(auth->kit->tokens, user, e.before_ms);
    return 0;
}

struct list_sessions {
    const struct auth_call *call;
    const struct principal *who;
    const struct id *before;
    unsigned limit;
    int64_t now_ms;
    struct auth_session *sessions;
    size_t count;
};

static int list_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct list_sessions *l = arg;
    return auth_store_sessions(tx, &l->who->user, l->before, l->now_ms, 0, l->limit + 1,
                               l->call->arena, &l->sessions, &l->count, err);
}

int auth_sessions(struct auth *auth, const struct auth_call *call, const struct principal *who,
                  const struct id *before, unsigned limit, struct auth_session **ret_sessions,
                  size_t *ret_count, struct error *err)
{
    struct list_sessions l = {
        .call = call, .who = who, .before = before, .limit = limit, .now_ms = auth_now(auth)};
    int rc = db_read(auth->db, list_tx, &l, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < l.count; i++)
        l.sessions[i].current = id_eq(&l.sessions[i].id, &who->session);
    *ret_sessions = l.sessions;
    *ret_count = l.count;
    return 0;
}
