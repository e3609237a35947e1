/* The session tables; see auth_store.h. */
#ifndef PARLEY_SERVICE_AUTH_STORE_SESSION_H
#define PARLEY_SERVICE_AUTH_STORE_SESSION_H

#include "service/auth/auth_store.h"

struct auth_session_row {
    struct id id, user;
    uint8_t refresh_hash[32];
    int64_t expires_at;
    bool ended;
};

int auth_store_insert_session(struct db_tx *tx, const struct id *id, const struct id *user,
                              struct slice device_name, const uint8_t refresh_hash[32],
                              int64_t now_ms, int64_t expires_ms, struct error *err) MUSTCHECK;
int auth_store_get_session(struct db_tx *tx, const struct id *id, struct auth_session_row *ret_row,
                           bool *ret_found, struct error *err) MUSTCHECK;
/* *ret_rotated false when the session has ended or `from` is no longer its token. */
int auth_store_rotate(struct db_tx *tx, const struct id *id, const uint8_t from[32],
                      const uint8_t to[32], int64_t now_ms, int64_t expires_ms, bool *ret_rotated,
                      struct error *err) MUSTCHECK;
/* *ret_ended false when there is no such living session of the user. */
int auth_store_end_session(struct db_tx *tx, const struct id *id, const struct id *user,
                           int64_t now_ms, bool *ret_ended, struct error *err) MUSTCHECK;
/* Living sessions of the user, newest first: those with an id below `before` (nil: all), skipping
 * `skip`, at most max. */
int auth_store_sessions(struct db_tx *tx, const struct id *user, const struct id *before,
                        int64_t now_ms, unsigned skip, unsigned max, struct arena *arena,
                        struct auth_session **ret_sessions, size_t *ret_count,
                        struct error *err) MUSTCHECK;
/* fn(arg, session) for each session ended since. */
int auth_store_each_ended(struct db_tx *tx, int64_t since_ms,
                          void (*fn)(void *arg, const struct id *session), void *arg,
                          struct error *err) MUSTCHECK;
/* Deletes sessions that ended or expired before, and answers no longer owed, at most `max` rows
 * each; *ret_count is how many. */
int auth_store_sweep(struct db_tx *tx, int64_t before_ms, int64_t now_ms, unsigned max,
                     int64_t *ret_count, struct error *err) MUSTCHECK;

int auth_store_put_answer(struct db_tx *tx, const uint8_t token_hash[32], int64_t until_ms,
                          struct slice answer, struct error *err) MUSTCHECK;
/* Absent slice when there is none or its time is over. */
int auth_store_get_answer(struct db_tx *tx, const uint8_t token_hash[32], int64_t now_ms,
                          struct arena *arena, struct slice *ret_answer,
                          struct error *err) MUSTCHECK;

#endif
