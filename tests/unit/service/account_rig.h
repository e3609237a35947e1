/* The auth and user rooms, with what they need: social, tokens, a mailer that writes files. What
 * sign-up waits for happens at once, and password hashes are cheap. */
#ifndef PARLEY_TESTS_ACCOUNT_RIG_H
#define PARLEY_TESTS_ACCOUNT_RIG_H

#include "rig.h"
#include "service/auth/auth_room.h"
#include "service/user/user_room.h"

/* What is around the rooms here. */
struct outside {
    struct kit *kit;
    struct in6_addr address; /* that rig_call comes from */
    struct auth_call call;
    bool no_chat; /* the chat room's part in a registration is not done */
};

void rig_open(struct rig *rig, const char *const *settings);
struct outside *rig_outside(struct rig *rig);
struct auth *rig_auth(struct rig *rig);
struct user_room *rig_users(struct rig *rig);
const struct auth_call *rig_call(struct rig *rig);

/* Signs up with the password "password of NAME"; e-mail and phone may be NULL. */
struct auth_grant rig_sign_up(struct rig *rig, const char *username, const char *email,
                              const char *phone);
int rig_sign_in(struct rig *rig, const char *login, const char *password,
                struct auth_grant *ret_grant);
struct principal rig_principal(struct rig *rig, struct slice access_token);

#endif
