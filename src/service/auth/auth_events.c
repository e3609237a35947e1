/* What the room tells the log, and what it hears from it. */
#include <stdlib.h>

#include "kit/emit.h"
#include "kit/token_block.h"
#include "service/auth/auth_registration.h"
#include "service/auth/auth_room.h"
#include "service/auth/auth_store_account.h"
#include "service/auth/auth_store_session.h"

enum { EVENT_BYTES_MAX = 16384, SWEEP_ROWS = 1000, SWEEP_ROUNDS_MAX = 100 };
/* Ended sessions are kept a day, as long as a token can name one. */
#define SWEEP_AFTER_MS TOKEN_BLOCK_KEEP_MS

static int emit(struct kit *kit, struct db_tx *tx, const struct event_type *type,
                const struct id *stream, const void *data, struct slice correlation_id,
                struct error *err)
{
    return kit_emit(
        kit, tx,
        &(struct emit){
            .type = type, .stream = stream, .data = data, .correlation_id = correlation_id},
        NULL, err);
}

int auth_emit_created(struct kit *kit, struct db_tx *tx, const struct auth_user_created *data,
                      struct slice correlation_id, struct error *err)
{
    return emit(kit, tx, &auth_user_created_event, &data->id, data, correlation_id, err);
}

int auth_emit_revoked(struct kit *kit, struct db_tx *tx, const struct auth_session_revoked *data,
                      struct slice correlation_id, struct error *err)
{
    return emit(kit, tx, &auth_session_revoked_event, &data->user_id, data, correlation_id, err);
}

int auth_emit_changed(struct kit *kit, struct db_tx *tx, const struct auth_account *account,
                      struct slice correlation_id, struct error *err)
{
    struct auth_user_changed data = {.user_id = account->user,
                                     .role = (int)account->role,
                                     .is_active = account->is_active,
                                     .is_verified = account->is_verified,
                                     .last_login = account->last_login};
    return emit(kit, tx, &auth_user_changed_event, &account->user, &data, correlation_id, err);
}

int auth_emit_deleted(struct kit *kit, struct db_tx *tx, const struct auth_user_deleted *data,
                      struct slice correlation_id, struct error *err)
{
    return emit(kit, tx, &auth_user_deleted_event, &data->user_id, data, correlation_id, err);
}

int auth_emit_contact(struct kit *kit, struct db_tx *tx, const struct auth_account *account,
                      struct slice correlation_id, struct error *err)
{
    struct auth_contact_changed data = {.user_id = account->user,
                                        .email = account->email,
                                        .phone = account->phone,
                                        .is_verified = account->is_verified};
    return emit(kit, tx, &auth_contact_changed_event, &account->user, &data, correlation_id, err);
}

/* --- revocations ------------------------------------------------------------------------------ */

static void apply(struct auth *auth, const struct event *event)
{
    struct auth_session_revoked data;
    struct arena arena;
    struct error err;
    arena_init(&arena, EVENT_BYTES_MAX);
    error_init(&err);
    if (!should_not(schema_decode(&auth_session_revoked_schema, event->data, &arena, &data, &err) <
                    0)) {
        if (id_is_nil(&data.session_id))
            token_revoke_user(auth->kit->tokens, &data.user_id, data.before);
        else
            token_revoke_session(auth->kit->tokens, &data.session_id);
    }
    arena_done(&arena);
}

/* On every loop, and subscribed before realtime is: when a loop's hub sees the event and looks at
 * its sockets, the block list has it already, whichever loop was first. */
struct auth_follower {
    struct event_subscription subscription;
    struct auth *auth;
};

static void on_batch(struct event_subscription *sub, struct event_batch *batch)
{
    struct auth_follower *f = CONTAINER_OF(sub, struct auth_follower, subscription);
    unsigned loop = (unsigned)(f - f->auth->followers);
    for (unsigned i = 0; i < batch->count; i++) {
        auth_hear_registration(f->auth, loop, &batch->events[i]);
        if (batch->events[i].type == &auth_session_revoked_event)
            apply(f->auth, &batch->events[i]);
    }
}

void auth_follow_revocations(struct auth *auth)
{
    auth->followers = xcalloc(auth->kit->loop_count, sizeof *auth->followers);
    auth->expecting = xcalloc(auth->kit->loop_count, sizeof *auth->expecting);
    for (unsigned i = 0; i < auth->kit->loop_count; i++) {
        list_init(&auth->expecting[i]);
        struct auth_follower *f = &auth->followers[i];
        f->auth = auth;
        f->subscription.loop = auth->kit->loops[i];
        f->subscription.deliver = on_batch;
        event_log_subscribe(auth->kit->log, &f->subscription);
    }
}

static void revoke_session(void *arg, const struct id *session)
{
    token_revoke_session(((struct auth *)arg)->kit->tokens, session);
}

static void revoke_user(void *arg, const struct id *user, int64_t before_ms)
{
    token_revoke_user(((struct auth *)arg)->kit->tokens, user, before_ms);
}

static int load_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct auth *auth = arg;
    int64_t since_ms = auth_now(auth) - TOKEN_BLOCK_KEEP_MS;
    int rc = auth_store_each_ended(tx, since_ms, revoke_session, auth, err);
    if (rc == 0)
        rc = auth_store_each_revoked_user(tx, since_ms, revoke_user, auth, err);
    return rc;
}

int auth_load_revocations(struct auth *auth, struct error *err)
{
    return db_read(auth->db, load_tx, auth, err);
}

/* --- jobs ------------------------------------------------------------------------------------- */

struct sweep {
    int64_t now_ms, removed;
};

static int sweep_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct sweep *s = arg;
    int64_t codes = 0;
    int rc =
        auth_store_sweep(tx, s->now_ms - SWEEP_AFTER_MS, s->now_ms, SWEEP_ROWS, &s->removed, err);
    if (rc == 0)
        rc = auth_store_sweep_codes(tx, s->now_ms, SWEEP_ROWS, &codes, err);
    s->removed += codes;
    return rc;
}

int auth_sweep(void *room, struct error *err)
{
    struct auth *auth = room;
    struct sweep s = {.now_ms = auth_now(auth), .removed = 1};
    int rc = 0;
    for (int round = 0; rc == 0 && s.removed > 0 && round < SWEEP_ROUNDS_MAX; round++)
        rc = db_write(auth->db, sweep_tx, &s, err);
    return rc;
}

int auth_tend_keys(void *room, struct error *err)
{
    struct auth *auth = room;
    return auth_keys_load(auth->kit, auth->db, &auth->keys, err);
}
