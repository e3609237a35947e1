/* Reports: people say what is wrong, moderators say what became of it. */
#include "contract/admin.h"
#include "kit/audit.h"
#include "kit/emit.h"
#include "service/social/social_room.h"

const char *const social_subject_names[] = {"user",  "post",  "comment",      "message",
                                            "story", "event", "trade_signal", NULL};
const char *const social_reason_names[] = {"spam", "abuse", "violence", "nudity", "other", NULL};
const char *const social_report_status_names[] = {"open", "resolved", "dismissed", NULL};

/* Two texts, each character escaped, and the rest. */
enum { REPORT_JSON_MAX = 2 * 6 * 4 * SOCIAL_REPORT_CHARS_MAX + 4096 };

static void tell_moderators(struct social_room *room)
{
    struct id topic = topic_stream(ADMIN_TOPIC, NULL);
    const struct admin_changed data = {.what = ADMIN_REPORTS};
    kit_emit_ephemeral(room->kit, &admin_changed_event, &topic, &data);
}

/* --- making ----------------------------------------------------------------------------------- */

struct making {
    struct social_call *call;
    struct social_report report;
};

/* Only people are known here; whether another thing is there the moderator sees. Somebody who is
 * blocked by the person can still report them. */
static int check_subject(const struct making *m, struct db_tx *tx, struct error *err)
{
    struct social_person person;
    if (m->report.subject_kind != SOCIAL_SUBJECT_USER)
        return 0;
    int rc = social_store_person(tx, &m->report.subject_id, &person, err);
    return rc < 0 || person.found ? rc : social_not_found(err);
}

static int make_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct making *m = arg;
    int64_t open, most = m->call->room->reports_max;
    int rc = check_subject(m, tx, err);
    if (rc == 0)
        rc = social_store_open_reports(tx, &m->call->user, most, &open, err);
    if (rc < 0)
        return rc;
    if (open >= most)
        return error_set(err, FAIL_INVALID, "too_many_reports",
                         "%lld of your reports have not been handled yet.", (long long)open);
    struct error why;
    error_init(&why);
    rc = social_store_add_report(tx, &m->report, &why);
    if (rc == FAIL_CONFLICT)
        return error_set(err, FAIL_CONFLICT, "already_reported",
                         "You have reported that already; it has not been handled yet.");
    return rc < 0 ? error_set(err, (enum fail)why.kind, why.code, "%s", why.detail) : 0;
}

int social_report(struct social_call *call, const struct social_report_new *what,
                  struct social_report *ret)
{
    struct making m = {.call = call,
                       .report = {.id = id_new(call->room->kit->clock),
                                  .reporter_id = call->user,
                                  .subject_kind = what->subject_kind,
                                  .subject_id = what->subject_id,
                                  .reason = what->reason,
                                  .text = what->text}};
    m.report.created_at = id_time_ms(&m.report.id);
    if (what->subject_kind == SOCIAL_SUBJECT_USER && id_eq(&what->subject_id, &call->user))
        return error_set(call->err, FAIL_INVALID, "self_report", "That is yourself.");
    int rc = social_write(call, make_tx, &m);
    if (rc < 0)
        return rc;
    tell_moderators(call->room);
    *ret = m.report;
    return 0;
}

/* --- handling --------------------------------------------------------------------------------- */

struct handling {
    struct social_call *call;
    const struct id *id;
    const struct social_report_patch *patch;
    struct arena *arena;
    struct social_report report;
};

static int load(struct handling *h, struct db_tx *tx, struct error *err)
{
    bool found;
    int rc = social_store_get_report(tx, h->id, h->arena, &h->report, &found, err);
    if (rc < 0 || found)
        return rc;
    return error_set(err, FAIL_NOT_FOUND, "report_not_found", "There is no such report.");
}

static int load_tx(struct db_tx *tx, void *arg, struct error *err)
{
    return load(arg, tx, err);
}

int social_report_get(struct social_call *call, const struct id *report, struct arena *arena,
                      struct social_report *ret)
{
    struct handling h = {.call = call, .id = report, .arena = arena};
    int rc = db_read(call->room->db, load_tx, &h, call->err);
    if (rc == 0)
        *ret = h.report;
    return rc;
}

static int check_match(const struct handling *h, struct error *err)
{
    struct buf json;
    if (h->call->unchanged == NULL)
        return 0;
    buf_init(&json, REPORT_JSON_MAX);
    schema_encode(&social_report_schema, &h->report, &json);
    int rc = buf_ok(&json) ? h->call->unchanged(h->call, buf_view(&json))
                           : error_set(err, FAIL_TOO_LARGE, "too_large", "It does not fit.");
    buf_done(&json);
    return rc;
}

static void apply(const struct handling *h, struct social_report *report)
{
    if (schema_has(h->patch->present, SOCIAL_REPORT_PATCH_NOTE))
        report->note = h->patch->note;
    report->status = h->patch->status;
    bool open = report->status == SOCIAL_REPORT_OPEN;
    report->handled_by = open ? (struct id){{0}} : h->call->user;
    report->handled_at = open ? 0 : clock_wall_ms(h->call->room->kit->clock);
}

static int write_audit(const struct handling *h, struct db_tx *tx, struct error *err)
{
    static const char *const actions[] = {[SOCIAL_REPORT_OPEN] = "report.reopened",
                                          [SOCIAL_REPORT_RESOLVED] = "report.resolved",
                                          [SOCIAL_REPORT_DISMISSED] = "report.dismissed"};
    const struct audit_entry entry = {.action = actions[h->report.status],
                                      .actor = &h->call->user,
                                      .subject_kind = "report",
                                      .subject = h->id,
                                      .correlation_id = h->call->correlation_id};
    return audit_write(h->call->room->kit, tx, &entry, err);
}

static int handle_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct handling *h = arg;
    int rc = load(h, tx, err);
    if (rc == 0)
        rc = check_match(h, err);
    if (rc < 0)
        return rc;
    apply(h, &h->report);
    struct error why;
    error_init(&why);
    rc = social_store_set_report(tx, &h->report, &why);
    if (rc == FAIL_CONFLICT)
        return error_set(err, FAIL_CONFLICT, "already_reported",
                         "The same person has reported the same thing again; that one is open.");
    if (rc < 0)
        return error_set(err, (enum fail)why.kind, why.code, "%s", why.detail);
    return write_audit(h, tx, err);
}

int social_report_handle(struct social_call *call, const struct id *report,
                         const struct social_report_patch *patch, struct arena *arena,
                         struct social_report *ret)
{
    struct handling h = {.call = call, .id = report, .patch = patch, .arena = arena};
    int rc = db_write(call->room->db, handle_tx, &h, call->err);
    if (rc < 0)
        return rc;
    tell_moderators(call->room);
    *ret = h.report;
    return 0;
}

/* --- listing ---------------------------------------------------------------------------------- */

struct listing {
    int status;
    size_t limit, count;
    struct cursor from;
    struct arena *arena;
    struct social_report *items;
};

static int list_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct listing *l = arg;
    return social_store_list_reports(tx, l->status, &l->from.id, l->limit + 1, l->arena, l->items,
                                     &l->count, err);
}

int social_reports(struct social_call *call, const struct social_report_query *query,
                   struct arena *arena, struct social_report_page *ret)
{
    bool chosen = schema_has(query->present, SOCIAL_REPORT_QUERY_STATUS);
    struct listing l = {
        .status = chosen ? query->status : -1, .limit = (size_t)query->page.limit, .arena = arena};
    bool given;
    l.items = arena_array(arena, l.limit + 1, sizeof *l.items);
    if (l.items == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "page_too_large", "Ask for fewer reports.");
    int rc = cursor_decode(query->page.cursor, &l.from, &given, call->err);
    if (rc == 0)
        rc = db_read(call->room->db, list_tx, &l, call->err);
    if (rc < 0)
        return rc;
    *ret = (struct social_report_page){.items = l.items, .more = l.count > l.limit};
    ret->count = ret->more ? l.limit : l.count;
    if (ret->count > 0)
        ret->next.id = l.items[ret->count - 1].id;
    return 0;
}
