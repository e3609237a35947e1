/* What a person may take along (Z07): the relations and reports they have made, and who follows
 * them. Who has blocked or muted them is not theirs to know. */
#include "service/social/social_room.h"

enum { REPORT_BYTES_MAX = 64 << 10 };

struct exported {
    struct id user_id;
    int64_t at;
};
static const struct schema_field exported_fields[] = {
    {"user_id", "The other person.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct exported, user_id)},
    {"at", "Since when.", SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct exported, at)},
};
static SCHEMA_DEF(exported_schema, struct exported, "ExportedRelation", "A relation.",
                  exported_fields);

static const char *const list_kinds[] = {[SOCIAL_LIST_FOLLOWERS] = "follower",
                                         [SOCIAL_LIST_FOLLOWING] = "following",
                                         [SOCIAL_LIST_REQUESTS] = "follow_request",
                                         [SOCIAL_LIST_BLOCKED] = "block",
                                         [SOCIAL_LIST_MUTED] = "mute"};

struct exporting {
    export_fn *fn;
    void *arg;
    const char *kind;
};

static int give(const struct exporting *x, const char *kind, const struct schema *schema,
                const void *value, struct error *err)
{
    struct buf json;
    buf_init(&json, REPORT_BYTES_MAX);
    schema_encode(schema, value, &json);
    int rc = buf_ok(&json) ? x->fn(x->arg, kind, buf_view(&json), err)
                           : error_set(err, FAIL_TOO_LARGE, "too_large", "A report is too large.");
    buf_done(&json);
    return rc;
}

static int give_row(const struct social_list_row *row, void *arg, struct error *err)
{
    const struct exporting *x = arg;
    const struct exported one = {row->other, row->made_at};
    return give(x, x->kind, &exported_schema, &one, err);
}

/* Whoever handled it is the house's business. */
static int give_report(const struct social_report *report, void *arg, struct error *err)
{
    struct social_report own = *report;
    own.handled_by = (struct id){{0}};
    own.note = (struct slice){0};
    return give(arg, "report", &social_report_schema, &own, err);
}

int social_export(void *room, struct db_tx *tx, const struct id *user, export_fn *fn, void *arg,
                  struct error *err)
{
    struct exporting x = {.fn = fn, .arg = arg};
    struct arena arena;
    int rc = 0;
    (void)room;
    for (unsigned list = 0; rc == 0 && list < ARRAY_LEN(list_kinds); list++) {
        x.kind = list_kinds[list];
        rc = social_store_made(tx, list, user, give_row, &x, err);
    }
    arena_init(&arena, REPORT_BYTES_MAX);
    if (rc == 0)
        rc = social_store_reports_of(tx, user, &arena, give_report, &x, err);
    arena_done(&arena);
    return rc;
}
