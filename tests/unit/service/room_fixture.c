#include "room_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/kv.h"
#include "kit/consumer.h"
#include "kit/limit.h"
#include "service/auth/auth_registration.h"
#include "service/social/social.h"

static const struct module *const modules[] = {&social_module, &user_module, &auth_module, NULL};

static void load_config(struct rooms *r, const char *const *settings)
{
    static const char *more[16];
    const struct config_key *tables[] = {kit_config, auth_module.config, social_module.config,
                                         NULL};
    size_t count = 0;
    more[count++] = "auth.bcrypt_cost=4";
    for (size_t i = 0; settings != NULL && settings[i] != NULL && count < 15; i++)
        more[count++] = settings[i];
    more[count] = NULL;
    struct config_source source = {.settings = more};
    CHECK_OK(config_load(tables, &source, &r->config, &r->err), &r->err);
}

static void open_db(struct rooms *r, const char *name, const struct db_schema *schemas,
                    size_t count, struct db **ret_db)
{
    char path[512];
    unsigned applied;
    snprintf(path, sizeof path, "%s/%s", test_dir(), name);
    struct db_config config = {.path = path,
                               .sync = DB_SYNC_NORMAL,
                               .readers = 1,
                               .queue_max = 64,
                               .batch_max = 16,
                               .clock = &r->clock.clock};
    CHECK_OK(db_open(&config, ret_db, &r->err), &r->err);
    CHECK_OK(db_migrate(*ret_db, schemas, count, &applied, &r->err), &r->err);
}

static void open_engines(struct rooms *r)
{
    static const struct event_type *const types[] = {&auth_user_created_event,
                                                     &auth_session_revoked_event,
                                                     &auth_user_changed_event,
                                                     &auth_user_deleted_event,
                                                     &auth_contact_changed_event,
                                                     &user_updated_event,
                                                     &registration_profile_created_event,
                                                     &registration_activated_event,
                                                     &registration_failed_event,
                                                     &social_follow_changed_event,
                                                     &social_block_changed_event,
                                                     NULL};
    struct db_schema main_schemas[] = {event_log_schema, kit_schema, *social_module.schema,
                                       *auth_module.schema, *user_module.schema};
    struct db_schema search_schemas[] = {kit_schema, *user_module.search_schema};
    open_db(r, "main.db", main_schemas, ARRAY_LEN(main_schemas), &r->main_db);
    open_db(r, "search.db", search_schemas, ARRAY_LEN(search_schemas), &r->search_db);
    struct event_log_config log = {.db = r->main_db, .types = types};
    CHECK_OK(event_log_open(&log, &r->log, &r->err), &r->err);
    CHECK_OK(kv_memory_open(&r->clock.clock, 1024, &r->kv, &r->err), &r->err);
    struct token_config tokens = {.clock = &r->clock.clock,
                                  .issuer = "parley",
                                  .audience = "parley",
                                  .access_ttl_ms = config_int(r->config, "auth.access_ttl"),
                                  .leeway_ms = 30000,
                                  .cache_ms = 60000};
    CHECK_OK(token_authority_new(&tokens, &r->tokens, &r->err), &r->err);
    char folder[512];
    snprintf(folder, sizeof folder, "%s/spool", test_dir());
    struct mailer_spool_config spool = {.folder = folder,
                                        .from = SLICE("parley@localhost"),
                                        .clock = &r->clock.clock,
                                        .files_max = 1000};
    CHECK_OK(mailer_spool_open(&spool, &r->mailer, &r->err), &r->err);
}

/* What sign-up waits for; here it happens at once. */
static int pump_profiles(struct auth *auth, uint64_t pos, struct error *err)
{
    rooms_pump(CONTAINER_OF(auth->kit, struct rooms, kit));
    return 0;
}

static int pump_registrations(struct auth *auth, struct auth_expected *expected, struct error *err)
{
    rooms_pump(CONTAINER_OF(auth->kit, struct rooms, kit));
    return 0;
}

static void start_rooms(struct rooms *r)
{
    r->databases[0] = (struct kit_database){"user.search", r->search_db};
    r->kit = (struct kit){.config = r->config,
                          .clock = &r->clock.clock,
                          .main_db = r->main_db,
                          .databases = r->databases,
                          .database_count = 1,
                          .log = r->log,
                          .kv = r->kv,
                          .mailer = r->mailer,
                          .tokens = r->tokens,
                          .modules = modules,
                          .rooms = r->states};
    for (int i = 0; modules[i] != NULL; i++)
        CHECK_OK(modules[i]->start(&r->kit, &r->states[i], &r->err), &r->err);
    CHECK_OK(event_log_start(r->log, &r->err), &r->err);
    r->auth = r->states[2];
    r->users = r->states[1];
    r->auth->wait_profile = pump_profiles;
    r->auth->wait_registered = pump_registrations;
}

void rooms_open(struct rooms *r, const char *const *settings)
{
    *r = (struct rooms){0};
    clock_fake_init(&r->clock, NOW);
    error_init(&r->err);
    arena_init(&r->arena, 16 << 20);
    r->address.s6_addr[15] = 1;
    r->call = (struct auth_call){.arena = &r->arena, .address = &r->address};
    load_config(r, settings);
    open_engines(r);
    start_rooms(r);
}

static void stop(struct rooms *r)
{
    for (int i = 2; i >= 0; i--)
        modules[i]->stop(r->states[i]);
    token_authority_free(r->tokens);
    r->mailer->ops->close(r->mailer);
    r->kv->ops->close(r->kv);
    event_log_close(r->log);
    db_close(r->search_db);
    db_close(r->main_db);
}

void rooms_reopen(struct rooms *r)
{
    stop(r);
    open_engines(r);
    start_rooms(r);
}

void rooms_close(struct rooms *r)
{
    stop(r);
    config_free(r->config);
    arena_done(&r->arena);
}

void rooms_clear(struct rooms *r)
{
    error_init(&r->err);
    arena_reset(&r->arena);
}

/* --- the log ---------------------------------------------------------------------------------- */

struct pump {
    struct rooms *r;
    void *room;
    const struct consumer *consumer;
    struct db *db;
    uint64_t pos;
    struct event event; /* owned copy */
    bool found;
};

static bool wants(const struct consumer *consumer, const struct event *event)
{
    for (int i = 0; consumer->types[i] != NULL; i++)
        if (strcmp(consumer->types[i], event->type->name) == 0)
            return true;
    return false;
}

static int keep_first(const struct event *event, void *arg, struct error *err)
{
    struct pump *p = arg;
    p->pos = event->pos;
    if (!wants(p->consumer, event))
        return 0;
    p->found = true;
    p->event = *event;
    p->event.data = slice_of(xstrndup(event->data.ptr, event->data.len), event->data.len);
    return 1;
}

static int read_one(struct db_tx *tx, void *arg, struct error *err)
{
    struct pump *p = arg;
    return event_log_read(p->r->log, tx, p->pos, 100, keep_first, p, err);
}

static int handle_one(struct db_tx *tx, void *arg, struct error *err)
{
    struct pump *p = arg;
    return p->consumer->handle(p->room, tx, &p->event, err);
}

static void pump_consumer(struct rooms *r, void *room, const struct consumer *consumer,
                          struct db *db, uint64_t *pos)
{
    for (;;) {
        struct pump p = {.r = r, .room = room, .consumer = consumer, .db = db, .pos = *pos};
        struct error err;
        error_init(&err);
        CHECK_OK(db_read(r->main_db, read_one, &p, &err), &err);
        if (p.pos == *pos)
            return;
        *pos = p.pos;
        if (!p.found)
            continue;
        CHECK_OK(db_write(db, handle_one, &p, &err), &err);
        free((char *)p.event.data.ptr);
    }
}

/* The chat room is not here; its part of a registration is. */
static int do_chat_part(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    struct rooms *r = room;
    return r->no_chat
               ? 0
               : registration_did(&r->kit, tx, &event->stream, REGISTRATION_CHAT_PROFILE, err);
}

void rooms_pump(struct rooms *r)
{
    static const char *const created[] = {"user.created", NULL};
    static const struct consumer chat = {.types = created, .handle = do_chat_part};
    pump_consumer(r, r->users, &user_module.consumers[0], r->main_db, &r->profiles_pos);
    pump_consumer(r, r, &chat, r->main_db, &r->chat_pos);
    pump_consumer(r, r->auth, &auth_module.consumers[0], r->main_db, &r->registrations_pos);
    pump_consumer(r, r->users, &user_module.consumers[1], r->search_db, &r->search_pos);
}

struct counting {
    struct rooms *r;
    const struct event_type *type;
    unsigned count;
};

static int count_one(const struct event *event, void *arg, struct error *err)
{
    struct counting *c = arg;
    c->count += event->type == c->type;
    return 0;
}

static int count_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct counting *c = arg;
    return event_log_read(c->r->log, tx, 0, 10000, count_one, c, err);
}

unsigned rooms_count_events(struct rooms *r, const struct event_type *type)
{
    struct counting c = {.r = r, .type = type};
    CHECK_OK(db_read(r->main_db, count_tx, &c, &r->err), &r->err);
    return c.count;
}

/* --- people ----------------------------------------------------------------------------------- */

struct auth_grant rooms_sign_up(struct rooms *r, const char *username, const char *email,
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
    struct auth_call call = r->call;
    call.address = NULL; /* the limit of sign-ups is for the test that tests it */
    CHECK_OK(auth_sign_up(r->auth, &call, &in, &grant, &pending, &r->err), &r->err);
    CHECK(!pending);
    return grant;
}

int rooms_sign_in(struct rooms *r, const char *login, const char *password,
                  struct auth_grant *ret_grant)
{
    struct auth_login in = {
        .login = slice_str(login), .password = slice_str(password), .device_name = SLICE("test")};
    return auth_sign_in(r->auth, &r->call, &in, ret_grant, &r->err);
}

struct principal rooms_principal(struct rooms *r, struct slice access_token)
{
    struct principal principal = {0};
    CHECK_OK(token_check(r->tokens, access_token, &principal, &r->err), &r->err);
    return principal;
}
