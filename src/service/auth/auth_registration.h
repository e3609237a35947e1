/* The auth room's part of registration (contract/registration.h): it begins the saga, ends it one
 * way or the other, and lets whoever signed up wait for the end. Inside src/service/auth only. */
#ifndef PARLEY_SERVICE_AUTH_REGISTRATION_H
#define PARLEY_SERVICE_AUTH_REGISTRATION_H

#include "base/list.h"
#include "contract/registration.h"
#include "service/auth/auth.h"

/* Inside db_write, with the account: it is pending from here on. */
int auth_begin_registration(struct auth *auth, struct db_tx *tx, const struct id *user,
                            struct error *err) MUSTCHECK;
/* Inside db_read: whether the account is still pending. */
int auth_is_pending(struct db_tx *tx, const struct id *user, bool *ret_pending,
                    struct error *err) MUSTCHECK;

/* Somebody who waits for a registration to end. On the stack of its coroutine; from expect to
 * unexpect, which stand in the same function. Begun before the transaction, so that no end is
 * missed. Nothing is awaited outside a loop. */
struct auth_expected {
    struct list link;
    struct id user;
    struct coro *coro; /* NULL outside a loop */
    bool activated, failed;
    uint64_t pos; /* of the event that said so */
};
void auth_expect(struct auth *auth, struct auth_expected *expected, const struct id *user);
void auth_unexpect(struct auth_expected *expected);
/* 0: active. FAIL_TIMEOUT: still pending after two seconds. FAIL_UNAVAILABLE
 * "registration_failed": given up, and the names are free again. */
int auth_wait_registered(struct auth *auth, struct auth_expected *expected,
                         struct error *err) MUSTCHECK;
/* The same for an account whose owner comes back. FAIL_FORBIDDEN "account_pending",
 * FAIL_UNAUTHENTICATED "invalid_credentials". */
int auth_wait_pending(struct auth *auth, const struct id *user, struct error *err) MUSTCHECK;

/* On each loop, for each event of a batch. */
void auth_hear_registration(struct auth *auth, unsigned loop, const struct event *event);

/* Consumer auth.registrations, and the job that gives up what is overdue. */
int auth_follow_registrations(void *room, struct db_tx *tx, const struct event *event,
                              struct error *err);
int auth_give_up_overdue(void *room, struct error *err);

#endif
