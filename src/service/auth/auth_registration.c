/* Registration: begun with the account, ended by what the other rooms say or by the clock.
 *
 * An account is pending for as long as its saga runs; there is no second mark that could say
 * something else. Whoever ends the saga does it in one transaction with what the end means: active,
 * or gone. So two ends cannot both happen, whichever of a late part and the deadline comes first.
 */
#include "service/auth/auth_registration.h"

#include "kit/consumer.h"
#include "service/auth/auth_room.h"
#include "service/auth/auth_store_registration.h"

enum { EVENT_BYTES_MAX = 16384, OVERDUE_MAX = 100, ROUNDS_MAX = 100 };

int auth_begin_registration(struct auth *auth, struct db_tx *tx, const struct id *user,
                            struct error *err)
{
    return saga_begin(tx, &registration_saga, user, "account",
                      config_int(auth->kit->config, "auth.registration_timeout"), err);
}

int auth_is_pending(struct db_tx *tx, const struct id *user, bool *ret_pending, struct error *err)
{
    enum saga_standing standing;
    int rc = saga_stands(tx, &registration_saga, user, &standing, err);
    if (rc == 0)
        *ret_pending = standing == SAGA_GOES_ON;
    return rc;
}

/* --- the two ends ------------------------------------------------------------------------------
 */

static int activate(struct auth *auth, struct db_tx *tx, const struct id *user, struct error *err)
{
    bool ended;
    int rc = saga_complete(tx, &registration_saga, user, "active", &ended, err);
    if (rc < 0 || !ended)
        return rc;
    return registration_emit_activated(auth->kit, tx, user, err);
}

/* The names are free again with this transaction. No token was ever given out. */
static int remove_account(struct db_tx *tx, const struct id *user, struct slice why,
                          bool *ret_ended, struct error *err)
{
    int rc = saga_compensate(tx, &registration_saga, user, "account_removed", why, ret_ended, err);
    if (rc < 0 || !*ret_ended)
        return rc;
    return auth_store_remove_pending(tx, user, err);
}

static int follow_failed(struct db_tx *tx, const struct event *event, struct error *err)
{
    struct registration_failed failed;
    struct arena arena;
    bool ended;
    arena_init(&arena, EVENT_BYTES_MAX);
    int rc = schema_decode(&registration_failed_schema, event->data, &arena, &failed, err);
    if (rc == 0) {
        struct slice why =
            arena_printf(&arena, "%.*s: %.*s", SLICE_FMT(failed.step), SLICE_FMT(failed.reason));
        rc = remove_account(tx, &event->stream, why, &ended, err);
    }
    arena_done(&arena);
    return rc;
}

int auth_follow_registrations(void *room, struct db_tx *tx, const struct event *event,
                              struct error *err)
{
    if (event->type == &registration_failed_event)
        return follow_failed(tx, event, err);
    return activate(room, tx, &event->stream, err);
}

/* --- the deadline ------------------------------------------------------------------------------
 */

struct overdue {
    struct auth *auth;
    struct id users[OVERDUE_MAX];
    unsigned count;
};

static int overdue_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct overdue *o = arg;
    return saga_overdue(tx, &registration_saga, OVERDUE_MAX, o->users, &o->count, err);
}

/* Those that ended since they were read stay as they are. */
static int give_up_tx(struct db_tx *tx, void *arg, struct error *err)
{
    static const struct slice step = {"deadline", 8};
    static const struct slice why = {"It took too long.", 17};
    struct overdue *o = arg;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < o->count; i++) {
        bool ended;
        rc = remove_account(tx, &o->users[i], why, &ended, err);
        if (rc == 0 && ended)
            rc = registration_emit_failed(o->auth->kit, tx, &o->users[i], step, why, err);
    }
    return rc;
}

int auth_give_up_overdue(void *room, struct error *err)
{
    struct overdue o = {.auth = room, .count = OVERDUE_MAX};
    int rc = 0;
    for (int round = 0; rc == 0 && o.count == OVERDUE_MAX && round < ROUNDS_MAX; round++) {
        rc = db_read(o.auth->db, overdue_tx, &o, err);
        if (rc == 0 && o.count > 0)
            rc = db_write(o.auth->db, give_up_tx, &o, err);
    }
    return rc;
}

/* --- waiting -----------------------------------------------------------------------------------
 */

void auth_expect(struct auth *auth, struct auth_expected *expected, const struct id *user)
{
    *expected = (struct auth_expected){.user = *user, .coro = coro_current()};
    list_init(&expected->link);
    if (expected->coro != NULL)
        list_add_tail(&auth->expecting[loop_index(loop_current())], &expected->link);
}

void auth_unexpect(struct auth_expected *expected)
{
    list_remove(&expected->link);
}

void auth_hear_registration(struct auth *auth, unsigned loop, const struct event *event)
{
    bool activated = event->type == &registration_activated_event;
    if (!activated && event->type != &registration_failed_event)
        return;
    struct list *all = &auth->expecting[loop];
    for (struct list *at = all->next; at != all; at = at->next) {
        struct auth_expected *expected = CONTAINER_OF(at, struct auth_expected, link);
        if (!id_eq(&expected->user, &event->stream))
            continue;
        expected->activated |= activated;
        expected->failed |= !activated;
        expected->pos = event->pos;
        coro_wake(expected->coro, 0);
    }
}

static int failed(struct auth *auth, const struct auth_expected *expected, struct error *err)
{
    struct error waited; /* whoever tries again at once finds the names free */
    error_init(&waited);
    (void)!consumer_wait(auth->kit->consumers, "auth.registrations", expected->pos,
                         AUTH_PROFILE_WAIT_MS, &waited);
    return error_set(err, FAIL_UNAVAILABLE, "registration_failed",
                     "The account could not be made, and nothing is left of it; try again.");
}

int auth_wait_registered(struct auth *auth, struct auth_expected *expected, struct error *err)
{
    int64_t until_ms = loop_now_ms(loop_current()) + AUTH_PROFILE_WAIT_MS;
    int rc = 0;
    while (!expected->activated && !expected->failed && rc != FAIL_TIMEOUT && rc != FAIL_CANCELLED)
        rc = coro_park(until_ms - loop_now_ms(loop_current()));
    if (expected->activated)
        return 0;
    if (expected->failed)
        return failed(auth, expected, err);
    return error_set(err, (enum fail)rc, "account_pending", "The account is still being made.");
}

struct look {
    const struct id *user;
    bool pending;
};

static int look_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct look *l = arg;
    return auth_is_pending(tx, l->user, &l->pending, err);
}

int auth_wait_pending(struct auth *auth, const struct id *user, struct error *err)
{
    struct look look = {.user = user};
    struct auth_expected expected;
    struct error waited;
    error_init(&waited);
    auth_expect(auth, &expected, user);
    int rc = db_read(auth->db, look_tx, &look, err); /* again: it may have ended before */
    int outcome = rc == 0 && look.pending ? auth->wait_registered(auth, &expected, &waited) : 0;
    auth_unexpect(&expected);
    if (rc < 0 || outcome == 0)
        return rc;
    if (outcome == FAIL_TIMEOUT)
        return error_set(err, FAIL_FORBIDDEN, "account_pending",
                         "The account is still being made; try again in a moment.");
    if (expected.failed) /* nobody has this login any more */
        return error_set(err, FAIL_UNAUTHENTICATED, "invalid_credentials",
                         "The login or the password is not right.");
    return error_set(err, (enum fail)outcome, waited.code, "%s", waited.detail);
}
