#include "gateway/admin_room.h"

#include <stdlib.h>

#include "contract/auth.h"
#include "contract/registration.h"
#include "contract/user.h"
#include "kit/audit.h"
#include "kit/dead_letter.h"
#include "kit/emit.h"
#include "kit/saga.h"
#include "service/auth/auth_schema.h"

/* What has changed is told at most so often: a thousand sign-ups are one reason to look. */
enum { TELL_EVERY_MS = 250, SWEEP_ROWS = 1000, SWEEP_ROUNDS_MAX = 1000 };

static const struct schema_field id_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct admin_id_params, id)},
};
SCHEMA_DEF(admin_id_params_schema, struct admin_id_params, "AdminParams", NULL, id_fields);

/* --- telling those who watch -------------------------------------------------------------------
 */

void admin_tell(struct kit *kit, enum admin_area what)
{
    struct admin_changed data = {what};
    struct id topic = topic_stream(ADMIN_TOPIC, NULL);
    kit_emit_ephemeral(kit, &admin_changed_event, &topic, &data);
}

static void tell_all(struct timer *timer)
{
    struct admin *admin = CONTAINER_OF(timer, struct admin, telling);
    unsigned changed = admin->changed;
    admin->changed = 0;
    for (int area = 0; admin_area_names[area] != NULL; area++)
        if ((changed >> area & 1) != 0)
            admin_tell(admin->kit, (enum admin_area)area);
}

static void tell_soon(struct admin *admin, enum admin_area what)
{
    admin->changed |= 1U << what;
    if (!timer_active(&admin->telling))
        timer_start(admin->kit->loops[0], &admin->telling, TELL_EVERY_MS);
}

static void dead_letter_came(struct kit *kit)
{
    tell_soon(kit_room(kit, admin_module.name), ADMIN_DEAD_LETTERS);
}

/* On the first loop. */
static void on_batch(struct event_subscription *sub, struct event_batch *batch)
{
    struct admin *admin = CONTAINER_OF(sub, struct admin, subscription);
    for (unsigned i = 0; i < batch->count; i++) {
        const struct event_type *type = batch->events[i].type;
        bool ended = type == &registration_activated_event || type == &registration_failed_event;
        if (ended || type == &auth_user_created_event)
            tell_soon(admin, ADMIN_SAGAS);
        if (ended || type == &auth_user_deleted_event)
            tell_soon(admin, ADMIN_USERS);
    }
}

/* --- the module --------------------------------------------------------------------------------
 */

struct sweep {
    int64_t before_ms, removed;
};

static int sweep_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct sweep *s = arg;
    return saga_sweep(tx, s->before_ms, SWEEP_ROWS, &s->removed, err);
}

static int sweep_sagas(void *room, struct error *err)
{
    struct admin *admin = room;
    struct sweep s = {.before_ms = clock_wall_ms(admin->kit->clock) - admin->sagas_keep_ms,
                      .removed = SWEEP_ROWS};
    int rc = 0;
    for (int i = 0; rc == 0 && s.removed == SWEEP_ROWS && i < SWEEP_ROUNDS_MAX; i++)
        rc = db_write(admin->kit->main_db, sweep_tx, &s, err);
    return rc;
}

static int start(struct kit *kit, void **ret_room, struct error *err)
{
    (void)err;
    struct admin *admin = xcalloc(1, sizeof *admin);
    admin->kit = kit;
    admin->node = id_new(kit->clock);
    admin->started_ms = clock_wall_ms(kit->clock);
    admin->started_mono_ms = clock_mono_ms(kit->clock);
    admin->sagas_keep_ms = config_int(kit->config, "sagas.keep");
    timer_init(&admin->telling, tell_all);
    *ret_room = admin;
    return 0;
}

void admin_go(struct kit *kit, const char *version, const char *address)
{
    struct admin *admin = kit_room(kit, admin_module.name);
    admin->version = version;
    admin->address = address;
    kit->dead_letter_came = dead_letter_came;
    admin->subscription.loop = kit->loops[0];
    admin->subscription.deliver = on_batch;
    event_log_subscribe(kit->log, &admin->subscription);
}

static void stop(void *room)
{
    free(room);
}

static const struct route_error user_errors[] = {{404, "user_not_found"}, {0}};
static const struct route_error patch_errors[] = {
    {404, "user_not_found"}, {409, "last_admin"}, {0}};
static const struct route_error letter_errors[] = {{404, "dead_letter_not_found"}, {0}};
static const struct route_error requeue_errors[] = {
    {404, "dead_letter_not_found"}, {409, "consumer_gone"}, {409, "requeue_failed"}, {0}};
static const struct route_error connection_errors[] = {{404, "connection_not_found"}, {0}};

#define ADMIN .scopes = SCOPE_ADMIN, .limit = LIMIT_DATA
#define LIST .answer_list = true, .status = 200
#define USER "/api/v1/admin/users/{id}"
#define LETTER "/api/v1/admin/dead-letters/{id}"

static const struct route routes[] = {
    {HTTP_GET, "/api/v1/admin/users", "admin", "List accounts",
     "Newest first; with q by username. Whole profiles, as their owners see them.",
     admin_users_route, ADMIN, .query = &admin_users_query_schema, .answer = &user_profile_schema,
     LIST},
    {HTTP_PATCH, USER, "admin", "Give a role, disable or enable an account",
     "Counts at once: the person's tokens are refused, and a disabled account gets no new ones.",
     admin_user_patch_route, ADMIN, .params = &admin_id_params_schema,
     .body = &admin_user_patch_schema, .answer = &user_profile_schema, .status = 200,
     .errors = patch_errors},
    {HTTP_GET, USER "/sessions", "admin", "List somebody's sessions", NULL, admin_sessions_route,
     ADMIN, .params = &admin_id_params_schema, .query = &page_query_schema,
     .answer = &auth_session_schema, LIST, .errors = user_errors},
    {HTTP_DELETE, USER "/sessions", "admin", "End all of somebody's sessions", NULL,
     admin_end_sessions_route, ADMIN, .params = &admin_id_params_schema, .status = 204,
     .errors = user_errors},
    {HTTP_GET, "/api/v1/admin/dead-letters", "admin", "List events that a consumer has given up on",
     "Newest first.", admin_dead_letters_route, ADMIN, .query = &page_query_schema,
     .answer = &dead_letter_schema, LIST},
    {HTTP_POST, LETTER "/requeue", "admin", "Give an event to its consumer once more",
     "In one transaction: handled and gone, or neither.", admin_requeue_route,
     .flags = ROUTE_NO_BODY, ADMIN, .params = &admin_id_params_schema, .status = 204,
     .errors = requeue_errors},
    {HTTP_DELETE, LETTER, "admin", "Throw a dead letter away", NULL, admin_discard_route, ADMIN,
     .params = &admin_id_params_schema, .status = 204, .errors = letter_errors},
    {HTTP_GET, "/api/v1/admin/sagas", "admin", "List sagas", "Newest first.", admin_sagas_route,
     ADMIN, .query = &admin_sagas_query_schema, .answer = &saga_schema, LIST},
    {HTTP_GET, "/api/v1/admin/audit", "admin", "Read the audit log",
     "Newest first. `parley audit verify` shows that nobody has touched it.", admin_audit_route,
     ADMIN, .query = &admin_audit_query_schema, .answer = &audit_schema, LIST},
    {HTTP_GET, "/api/v1/admin/nodes", "admin", "List the processes of this platform",
     "With the embedded engines there is one.", admin_nodes_route, ADMIN,
     .query = &page_query_schema, .answer = &admin_node_schema, LIST},
    {HTTP_GET, "/api/v1/admin/connections", "admin", "List live connections of this process",
     "In no order that means anything; those that come and go meanwhile are seen or not.",
     admin_connections_route, ADMIN, .query = &admin_connections_query_schema,
     .answer = &admin_connection_schema, LIST},
    {HTTP_DELETE, "/api/v1/admin/connections/{id}", "admin", "Close a live connection",
     "Its client comes back: end the session to keep it out.", admin_close_connection_route, ADMIN,
     .params = &admin_connection_params_schema, .status = 204, .errors = connection_errors},
};

static const struct topic topics[] = {
    /* Moderators have the reports; that another list has moved tells them nothing of it. */
    {ADMIN_TOPIC, .alone = true, .scopes = SCOPE_MODERATE,
     .doc = "Which list of the administration has changed."},
};
static const struct event_type *const events[] = {&admin_changed_event, NULL};
static const struct job jobs[] = {{"sagas.sweep", 3600 * 1000, sweep_sagas}};
static const struct config_key config[] = {
    {"sagas.keep", CONFIG_DURATION, "30d", 60000, INT64_C(315360000000),
     .doc = "How long a saga that has ended is kept for the admin page."},
    {0},
};
static const char *const needs[] = {"realtime", "user", "auth", NULL};

const struct module admin_module = {
    .name = "admin",
    .needs = needs,
    .routes = routes,
    .route_count = ARRAY_LEN(routes),
    .events = events,
    .jobs = jobs,
    .job_count = ARRAY_LEN(jobs),
    .config = config,
    .start = start,
    .stop = stop,
    .topics = topics,
    .topic_count = ARRAY_LEN(topics),
};
