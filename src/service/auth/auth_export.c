/* What a person may take along of their account (Z07): all of it but the secrets. */
#include "service/auth/auth_room.h"
#include "service/auth/auth_schema.h"
#include "service/auth/auth_store_session.h"

enum { ARENA_BYTES_MAX = 1 << 20, ITEM_BYTES_MAX = 16 << 10 };

struct exported_account {
    struct id user_id;
    struct slice username, email, phone;
    int role;
    bool email_verified, phone_verified;
    int64_t last_login, created_at;
};
static const struct schema_field account_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct exported_account, user_id)},
    {"username", NULL, SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct exported_account, username)},
    {"email", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct exported_account, email)},
    {"email_verified", NULL, SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct exported_account, email_verified)},
    {"phone", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct exported_account, phone)},
    {"phone_verified", NULL, SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct exported_account, phone_verified)},
    {"role", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct exported_account, role),
     .names = role_names},
    {"last_login", NULL, SCHEMA_TIME, SCHEMA_NULLABLE,
     SCHEMA_AT(struct exported_account, last_login)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED,
     SCHEMA_AT(struct exported_account, created_at)},
};
static SCHEMA_DEF(account_schema, struct exported_account, "ExportedAccount", NULL, account_fields);

struct giving {
    export_fn *fn;
    void *arg;
};

static int give(const struct giving *g, const char *kind, const struct schema *schema,
                const void *value, struct error *err)
{
    struct buf json;
    buf_init(&json, ITEM_BYTES_MAX);
    schema_encode(schema, value, &json);
    int rc = buf_ok(&json)
                 ? g->fn(g->arg, kind, buf_view(&json), err)
                 : error_set(err, FAIL_TOO_LARGE, "too_large", "The %s is too large.", kind);
    buf_done(&json);
    return rc;
}

static int give_account(const struct giving *g, struct db_tx *tx, const struct id *user,
                        struct arena *arena, struct error *err)
{
    struct auth_account account;
    bool found = false;
    int rc = auth_store_get_account(tx, user, arena, &account, &found, err);
    if (rc < 0 || !found)
        return rc;
    struct exported_account exported = {.user_id = account.user,
                                        .username = account.username,
                                        .email = account.email,
                                        .phone = account.phone,
                                        .role = (int)account.role,
                                        .email_verified = account.email_verified,
                                        .phone_verified = account.phone_verified,
                                        .last_login = account.last_login,
                                        .created_at = account.created_at};
    return give(g, "account", &account_schema, &exported, err);
}

int auth_export_person(void *room, struct db_tx *tx, const struct id *user, export_fn *fn,
                       void *arg, struct error *err)
{
    static const struct id newest; /* nil: from the newest on */
    struct giving g = {fn, arg};
    struct auth_session *sessions = NULL;
    struct arena arena;
    size_t count = 0;
    arena_init(&arena, ARENA_BYTES_MAX);
    int rc = give_account(&g, tx, user, &arena, err);
    if (rc == 0)
        rc = auth_store_sessions(tx, user, &newest, auth_now(room), 0, AUTH_SESSIONS_MAX, &arena,
                                 &sessions, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = give(&g, "session", &auth_session_schema, &sessions[i], err);
    arena_done(&arena);
    return rc;
}
