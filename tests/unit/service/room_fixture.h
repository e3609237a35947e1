/* The auth and user rooms on a real database in the test's folder, with a clock that stands still.
 * Everything blocks; consumers run when the test says so. */
#ifndef PARLEY_TESTS_ROOM_FIXTURE_H
#define PARLEY_TESTS_ROOM_FIXTURE_H

#include "harness.h"
#include "service/auth/auth_room.h"
#include "service/user/user_room.h"

#define NOW INT64_C(1795000000000)
#define MINUTE INT64_C(60000)

struct rooms {
    struct clock_fake clock;
    struct config *config;
    struct db *main_db, *search_db;
    struct event_log *log;
    struct kv *kv;
    struct mailer *mailer;
    struct token_authority *tokens;
    struct kit_database databases[1];
    struct kit kit;
    void *states[3];
    struct auth *auth;
    struct user_room *users;
    uint64_t profiles_pos, search_pos, chat_pos, registrations_pos;
    bool no_chat; /* the part of the chat room in a registration is not done */
    struct arena arena;
    struct in6_addr address;
    struct auth_call call;
    struct error err;
};

/* settings: further "key=value", NULL-terminated; may be NULL. */
void rooms_open(struct rooms *r, const char *const *settings);
void rooms_close(struct rooms *r);
/* As after a restart of the process: memory is gone, the files are not. */
void rooms_reopen(struct rooms *r);
/* Runs the consumers up to the head of the log. */
void rooms_pump(struct rooms *r);
/* Forgets the last error and whatever filled the arena. */
void rooms_clear(struct rooms *r);

/* Signs up with the password "password of NAME"; e-mail and phone may be NULL. */
struct auth_grant rooms_sign_up(struct rooms *r, const char *username, const char *email,
                                const char *phone);
int rooms_sign_in(struct rooms *r, const char *login, const char *password,
                  struct auth_grant *ret_grant);
struct principal rooms_principal(struct rooms *r, struct slice access_token);
/* How many events of the type stand in the log. */
unsigned rooms_count_events(struct rooms *r, const struct event_type *type);

#define CHECK_CODE(r, rc, want_kind, want_code)                                                    \
    do {                                                                                           \
        int code_rc_ = (rc);                                                                       \
        CHECK_INT(code_rc_, want_kind);                                                            \
        CHECK_STR(slice_str((r)->err.code), want_code);                                            \
        rooms_clear(r);                                                                            \
    } while (0)

#endif
