/* What is on record: dead letters, sagas, the audit log. */
#include "gateway/admin_room.h"
#include "kit/audit.h"
#include "kit/dead_letter.h"
#include "kit/saga.h"

#define PAGE_FIELDS(type)                                                                          \
    {"limit",                                                                                      \
     "Items in a page.",                                                                           \
     SCHEMA_INT,                                                                                   \
     .offset = offsetof(type, page.limit),                                                         \
     .min = 1,                                                                                     \
     .max = PAGE_LIMIT_MAX,                                                                        \
     .fallback = PAGE_LIMIT_DEFAULT},                                                              \
    {                                                                                              \
        "cursor", "The next_cursor of the page before.", SCHEMA_STRING,                            \
            .offset = offsetof(type, page.cursor), .min = 1, .max = 200                            \
    }

/* --- dead letters ------------------------------------------------------------------------------
 */

int admin_dead_letters_route(struct request *req)
{
    const struct page_query *page = req->query;
    struct dead_letter *letters = NULL;
    struct cursor after, next = {0};
    size_t count = 0, limit = (size_t)page->limit;
    bool given;
    int rc = cursor_decode(page->cursor, &after, &given, &req->error);
    if (rc == 0)
        rc = dead_letter_list(req->kit, &after, (unsigned)limit, req->arena, &letters, &count,
                              &req->error);
    if (rc < 0)
        return rc;
    bool more = count > limit;
    if (more)
        next = (struct cursor){letters[limit - 1].created_at, letters[limit - 1].id};
    return request_reply_page(req, &dead_letter_schema, letters, more ? limit : count,
                              more ? &next : NULL);
}

struct act {
    struct kit *kit;
    const char *action;
    const struct id *actor, *letter;
    struct slice correlation_id;
    struct arena *arena;
};

static int audit(void *arg, struct db_tx *tx, const struct dead_letter_taken *letter,
                 struct error *err)
{
    const struct act *act = arg;
    struct audit_entry entry = {
        .action = act->action,
        .actor = act->actor,
        .subject_kind = "dead_letter",
        .subject = act->letter,
        .detail = arena_printf(
            act->arena, "{\"consumer\":\"%.*s\",\"event_type\":\"%.*s\",\"event_pos\":\"%.*s\"}",
            SLICE_FMT(letter->consumer), SLICE_FMT(letter->event_type),
            SLICE_FMT(letter->event_pos)),
        .correlation_id = act->correlation_id};
    return audit_write(act->kit, tx, &entry, err);
}

/* Whoever watches looks again, also after a failure: attempts and error are others now. */
static int ended(struct kit *kit, int rc)
{
    if ((rc == 0 || rc == FAIL_CONFLICT) && loop_current() != NULL)
        admin_tell(kit, ADMIN_DEAD_LETTERS);
    return rc;
}

int admin_requeue(struct kit *kit, const struct id *actor, const struct id *letter,
                  struct slice correlation_id, struct arena *arena, struct error *err)
{
    struct act act = {kit, "dead_letter.requeued", actor, letter, correlation_id, arena};
    return ended(kit, dead_letter_requeue(kit, letter, audit, &act, arena, err));
}

int admin_discard(struct kit *kit, const struct id *actor, const struct id *letter,
                  struct slice correlation_id, struct arena *arena, struct error *err)
{
    struct act act = {kit, "dead_letter.discarded", actor, letter, correlation_id, arena};
    return ended(kit, dead_letter_discard(kit, letter, audit, &act, arena, err));
}

int admin_requeue_route(struct request *req)
{
    const struct admin_id_params *params = req->params;
    int rc = admin_requeue(req->kit, &req->principal->user, &params->id, req->correlation_id,
                           req->arena, &req->error);
    return rc < 0 ? rc : request_reply_empty(req);
}

int admin_discard_route(struct request *req)
{
    const struct admin_id_params *params = req->params;
    int rc = admin_discard(req->kit, &req->principal->user, &params->id, req->correlation_id,
                           req->arena, &req->error);
    return rc < 0 ? rc : request_reply_empty(req);
}

/* --- sagas -------------------------------------------------------------------------------------
 */

struct sagas_query {
    struct page_query page;
    int state;
};
static const struct schema_field sagas_fields[] = {
    PAGE_FIELDS(struct sagas_query),
    {"state", "Only those that stand so.", SCHEMA_ENUM, SCHEMA_AT(struct sagas_query, state),
     .names = saga_state_names, .fallback = -1},
};
SCHEMA_DEF(admin_sagas_query_schema, struct sagas_query, "SagasQuery", "Which sagas.",
           sagas_fields);

struct sagas {
    const struct sagas_query *query;
    struct arena *arena;
    struct cursor before;
    struct saga_view *list;
    size_t count;
};

static int sagas_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct sagas *s = arg;
    return saga_list(tx, s->query->state, &s->before.id, (unsigned)s->query->page.limit + 1,
                     s->arena, &s->list, &s->count, err);
}

int admin_sagas_route(struct request *req)
{
    struct sagas s = {.query = req->query, .arena = req->arena};
    struct cursor next = {0};
    size_t limit = (size_t)s.query->page.limit;
    bool given;
    int rc = cursor_decode(s.query->page.cursor, &s.before, &given, &req->error);
    if (rc == 0)
        rc = db_read(req->kit->main_db, sagas_tx, &s, &req->error);
    if (rc < 0)
        return rc;
    bool more = s.count > limit;
    if (more)
        next.id = s.list[limit - 1].id;
    return request_reply_page(req, &saga_schema, s.list, more ? limit : s.count,
                              more ? &next : NULL);
}

/* --- the audit log -----------------------------------------------------------------------------
 */

struct audit_query {
    struct page_query page;
    struct slice action;
    struct id actor_id, subject_id;
};
static const struct schema_field audit_fields[] = {
    PAGE_FIELDS(struct audit_query),
    {"action", "Such as user.role_changed.", SCHEMA_STRING, SCHEMA_AT(struct audit_query, action),
     .min = 1, .max = 64},
    {"actor_id", "What they did.", SCHEMA_ID, SCHEMA_AT(struct audit_query, actor_id)},
    {"subject_id", "What was done to them.", SCHEMA_ID, SCHEMA_AT(struct audit_query, subject_id)},
};
SCHEMA_DEF(admin_audit_query_schema, struct audit_query, "AuditQuery", "Which entries.",
           audit_fields);

struct audits {
    struct audit_filter filter;
    struct arena *arena;
    struct audit_row *rows;
    size_t count;
};

static int audit_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct audits *a = arg;
    return audit_list(tx, &a->filter, a->arena, &a->rows, &a->count, err);
}

int admin_audit_route(struct request *req)
{
    const struct audit_query *query = req->query;
    struct audits a = {.filter = {.action = query->action,
                                  .actor = query->actor_id,
                                  .subject = query->subject_id,
                                  .limit = (unsigned)query->page.limit + 1},
                       .arena = req->arena};
    struct cursor cursor, next = {0};
    size_t limit = (size_t)query->page.limit;
    bool given;
    int rc = cursor_decode(query->page.cursor, &cursor, &given, &req->error);
    a.filter.before = cursor.number;
    if (rc == 0)
        rc = db_read(req->kit->main_db, audit_tx, &a, &req->error);
    if (rc < 0)
        return rc;
    bool more = a.count > limit;
    if (more)
        next.number = a.rows[limit - 1].seq;
    return request_reply_page(req, &audit_schema, a.rows, more ? limit : a.count,
                              more ? &next : NULL);
}
