/* The authority under several threads: keys change and sessions end while tokens are checked. Run
 * it under the thread sanitizer. */
#include <pthread.h>
#include <stdatomic.h>

#include "harness.h"
#include "kit/token.h"

enum { CHECKERS = 3, SESSIONS = 200 };

struct shared {
    struct token_authority *authority;
    struct jwk *keys[2];
    struct principal principals[SESSIONS];
    struct buf tokens[SESSIONS];
    _Atomic int revoked; /* sessions below this have been revoked for certain */
    _Atomic bool over;
    _Atomic int wrong;
};

static void *check(void *arg)
{
    struct shared *s = arg;
    for (int i = 0; !atomic_load(&s->over); i = (i + 1) % SESSIONS) {
        struct principal who;
        struct error err;
        error_init(&err);
        int revoked_before = atomic_load(&s->revoked);
        int rc = token_check(s->authority, buf_view(&s->tokens[i]), &who, &err);
        if (i < revoked_before && rc == 0)
            atomic_fetch_add(&s->wrong, 1);
        if (rc != 0 && strcmp(err.code, "token_revoked") != 0)
            atomic_fetch_add(&s->wrong, 1);
        if (rc == 0 && !id_eq(&who.session, &s->principals[i].session))
            atomic_fetch_add(&s->wrong, 1);
    }
    return NULL;
}

static void setup(struct shared *s)
{
    struct error err;
    struct token_config config = {.clock = &clock_system,
                                  .issuer = "parley",
                                  .audience = "parley",
                                  .access_ttl_ms = 900000,
                                  .leeway_ms = 30000,
                                  .cache_ms = 60000};
    error_init(&err);
    CHECK_OK(token_authority_new(&config, &s->authority, &err), &err);
    CHECK_OK(jwk_from_secret(SLICE("0123456789abcdef0123456789abcdef"), &s->keys[0], &err), &err);
    CHECK_OK(jwk_generate(JWT_ES256, &s->keys[1], &err), &err);
    token_set_keys(s->authority, s->keys, 2);
    for (int i = 0; i < SESSIONS; i++) {
        s->principals[i] =
            (struct principal){.user = id_new(&clock_system), .session = id_new(&clock_system)};
        buf_init(&s->tokens[i], JWT_BYTES_MAX);
        CHECK_OK(token_issue(s->authority, &s->principals[i], &s->tokens[i], &err), &err);
    }
}

TEST(revocation_holds_from_the_moment_it_returns)
{
    static struct shared s;
    pthread_t threads[CHECKERS];
    setup(&s);
    for (int i = 0; i < CHECKERS; i++)
        CHECK(pthread_create(&threads[i], NULL, check, &s) == 0);
    for (int i = 0; i < SESSIONS; i++) {
        token_revoke_session(s.authority, &s.principals[i].session);
        atomic_store(&s.revoked, i + 1);
        token_set_keys(s.authority, i % 2 == 0 ? s.keys : (struct jwk *[]){s.keys[1], s.keys[0]},
                       2);
    }
    atomic_store(&s.over, true);
    for (int i = 0; i < CHECKERS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(s.wrong, 0);
    token_authority_free(s.authority);
    for (int i = 0; i < SESSIONS; i++)
        buf_done(&s.tokens[i]);
    jwk_unref(s.keys[0]);
    jwk_unref(s.keys[1]);
}
