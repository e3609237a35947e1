#include "account_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "service/auth/auth_registration.h"

/* --- what is around the rooms ----------------------------------------------------------------- */

static int open_engines(struct kit *kit, struct error *err)
{
    char folder[512];
    rig_path("spool", folder);
    struct token_config tokens = {.clock = kit->clock,
                                  .issuer = "parley",
                                  .audience = "parley",
                                  .access_ttl_ms = config_int(kit->config, "auth.access_ttl"),
                                  .leeway_ms = 30000,
                                  .cache_ms = 60000};
    struct mailer_spool_config spool = {.folder = folder,
                                        .from = SLICE("parley@localhost"),
                                        .clock = kit->clock,
                                        .files_max = 1000};
    int rc = token_authority_new(&tokens, &kit->tokens, err);
    return rc == 0 ? mailer_spool_open(&spool, &kit->mailer, err) : rc;
}

static int start_outside(struct kit *kit, void **ret_room, struct error *err)
{
    struct outside *outside = xcalloc(1, sizeof *outside);
    outside->kit = kit;
    outside->address.s6_addr[15] = 1;
    outside->call = (struct auth_call){.arena = &CONTAINER_OF(kit, struct rig, kit)->arena,
                                       .address = &outside->address};
    *ret_room = outside;
    return open_engines(kit, err);
}

static void stop_outside(void *room)
{
    struct outside *outside = room;
    token_authority_free(outside->kit->tokens);
    outside->kit->mailer->ops->close(outside->kit->mailer);
    free(outside);
}

static int do_chat_part(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    struct outside *outside = room;
    return outside->no_chat
               ? 0
               : registration_did(outside->kit, tx, &event->stream, REGISTRATION_CHAT_PROFILE, err);
}

static const char *const created[] = {"user.created", NULL};
static const struct consumer chat_part[] = {
    {.name = "chat.profiles", .types = created, .handle = do_chat_part}};
static const struct module outside_module = {.name = "outside",
                                             .start = start_outside,
                                             .stop = stop_outside,
                                             .consumers = chat_part,
                                             .consumer_count = ARRAY_LEN(chat_part)};

/* --- no waiting ------------------------------------------------------------------------------- */

static int pump_profiles(struct auth *auth, uint64_t pos, struct error *err)
{
    rig_pump(CONTAINER_OF(auth->kit, struct rig, kit));
    return 0;
}

static int pump_registrations(struct auth *auth, struct auth_expected *expected, struct error *err)
{
    rig_pump(CONTAINER_OF(auth->kit, struct rig, kit));
    return 0;
}

static int start_without_waiting(struct kit *kit, void **ret_room, struct error *err)
{
    struct auth *auth = kit_room(kit, "auth");
    auth->wait_profile = pump_profiles;
    auth->wait_registered = pump_registrations;
    *ret_room = auth; /* the room under test */
    return 0;
}

static const struct module no_waiting_module = {.name = "no_waiting",
                                                .start = start_without_waiting};

/* --- the rig ---------------------------------------------------------------------------------- */

void rig_open(struct rig *rig, const char *const *settings)
{
    static const struct module *const modules[] = {
        &outside_module, &social_module, &user_module, &auth_module, &no_waiting_module, NULL};
    const char *all[16] = {"auth.bcrypt_cost=4"};
    for (size_t i = 0; settings != NULL && settings[i] != NULL; i++) {
        panic_if(i + 2 == ARRAY_LEN(all), "too many settings");
        all[i + 1] = settings[i];
    }
    rig_open_modules(rig, modules, all, 0);
}

struct outside *rig_outside(struct rig *rig)
{
    return kit_room(&rig->kit, "outside");
}

struct auth *rig_auth(struct rig *rig)
{
    return rig->room;
}

struct user_room *rig_users(struct rig *rig)
{
    return kit_room(&rig->kit, "user");
}

const struct auth_call *rig_call(struct rig *rig)
{
    return &rig_outside(rig)->call;
}

struct auth_grant rig_sign_up(struct rig *rig, const char *username, const char *email,
                              const char *phone)
{
    char password[64];
    snprintf(password, sizeof password, "password of %s", username);
    struct auth_signup in = {.username = slice_str(username),
                             .email = slice_str(email),
                             .phone = slice_str(phone),
                             .password = slice_str(password)};
    struct auth_grant grant = {0};
    bool pending = true;
    struct auth_call call = *rig_call(rig);
    call.address = NULL; /* the limit of sign-ups is for the test that tests it */
    CHECK_OK(auth_sign_up(rig_auth(rig), &call, &in, &grant, &pending, &rig->err), &rig->err);
    CHECK(!pending);
    return grant;
}

int rig_sign_in(struct rig *rig, const char *login, const char *password,
                struct auth_grant *ret_grant)
{
    struct auth_login in = {
        .login = slice_str(login), .password = slice_str(password), .device_name = SLICE("test")};
    return auth_sign_in(rig_auth(rig), rig_call(rig), &in, ret_grant, &rig->err);
}

struct principal rig_principal(struct rig *rig, struct slice access_token)
{
    struct principal principal = {0};
    CHECK_OK(token_check(rig->kit.tokens, access_token, &principal, &rig->err), &rig->err);
    return principal;
}
