/* The room's place in the log: what goes out, and what it does when people go or fall out. */
#include <stdlib.h>

#include "contract/auth.h"
#include "service/calendar/calendar_room.h"

enum { EVENT_BYTES_MAX = 65536 };

int calendar_emit(struct calendar_room *room, struct db_tx *tx, const struct event_type *type,
                  const struct gathering *g, struct slice correlation_id, struct error *err)
{
    struct id stream = g->visibility == SOCIAL_PRIVATE
                           ? g->host_id
                           : topic_stream(SOCIAL_AUTHOR_TOPIC, &g->host_id);
    struct gathering anybody = *g;
    anybody.my_status = CALENDAR_NONE;
    struct emit event = {
        .type = type, .stream = &stream, .data = &anybody, .correlation_id = correlation_id};
    return kit_emit(room->kit, tx, &event, NULL, err);
}

/* --- people who go -----------------------------------------------------------------------------
 */

static int leave_one(struct calendar_room *room, struct db_tx *tx, const struct id *gathering,
                     const struct id *user, struct error *err)
{
    struct places p;
    bool found, left = false;
    int rc = places_store_get(tx, gathering, &p, &found, err);
    if (rc == 0 && found)
        rc = places_leave(room, tx, &p, user, &left, err);
    return rc == 0 && left ? places_store_put(tx, &p, err) : rc;
}

/* All answers of the person (host nil), or those to what that host invites to. */
static int leave_all(struct calendar_room *room, struct db_tx *tx, const struct id *user,
                     const struct id *host, struct error *err)
{
    struct calendar_rsvp page[100];
    struct id after = {{0}};
    size_t count;
    do {
        int rc = rsvp_store_of_user(tx, user, host, &after, ARRAY_LEN(page), page, &count, err);
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = leave_one(room, tx, &page[i].gathering_id, user, err);
        if (rc < 0)
            return rc;
        if (count > 0)
            after = page[count - 1].gathering_id;
    } while (count == ARRAY_LEN(page));
    return 0;
}

static int cancel_one(struct calendar_room *room, struct db_tx *tx, const struct id *id,
                      struct error *err)
{
    struct arena arena;
    struct gathering g;
    arena_init(&arena, EVENT_BYTES_MAX);
    int rc = calendar_load(room, tx, id, &arena, &g, err);
    g.description = g.place = g.link = (struct slice){0};
    if (rc == 0)
        rc = calendar_cancel_in(room, tx, &g, (struct slice){0}, err);
    arena_done(&arena);
    return rc;
}

/* What is to come is cancelled and keeps only its title, for those who meant to come; the rest is
 * gone. What was cancelled goes with it when its time has come (calendar_sweep). */
static int end_hosting(struct calendar_room *room, struct db_tx *tx, const struct id *host,
                       struct error *err)
{
    int64_t now_ms = calendar_now_ms(room);
    struct id page[100];
    size_t count;
    int rc;
    do {
        rc = gathering_store_of_host(tx, host, now_ms, false, ARRAY_LEN(page), page, &count, err);
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = cancel_one(room, tx, &page[i], err);
    } while (rc == 0 && count == ARRAY_LEN(page));
    return rc < 0 ? rc : gathering_store_forsake(tx, host, now_ms, err);
}

static int follow_deleted(struct calendar_room *room, struct db_tx *tx, const struct event *event,
                          struct arena *arena, struct error *err)
{
    static const struct id nobody = {{0}};
    struct auth_user_deleted gone;
    int rc = schema_decode(&auth_user_deleted_schema, event->data, arena, &gone, err);
    if (rc == 0)
        rc = leave_all(room, tx, &gone.user_id, &nobody, err);
    if (rc == 0)
        rc = invite_store_remove_user(tx, &gone.user_id, err);
    if (rc == 0)
        rc = link_store_remove(tx, &gone.user_id, err);
    return rc < 0 ? rc : end_hosting(room, tx, &gone.user_id, err);
}

/* Neither comes to what the other invites to. */
static int follow_block(struct calendar_room *room, struct db_tx *tx, const struct event *event,
                        struct arena *arena, struct error *err)
{
    struct social_block_changed block;
    int rc = schema_decode(&social_block_changed_schema, event->data, arena, &block, err);
    if (rc < 0 || !block.blocked)
        return rc;
    rc = leave_all(room, tx, &block.target_id, &block.user_id, err);
    return rc < 0 ? rc : leave_all(room, tx, &block.user_id, &block.target_id, err);
}

/* calendar.people: places of those who go are free for those who wait. */
int calendar_follow_people(void *arg, struct db_tx *tx, const struct event *event,
                           struct error *err)
{
    struct arena arena;
    arena_init(&arena, EVENT_BYTES_MAX);
    int rc = event->type == &auth_user_deleted_event ? follow_deleted(arg, tx, event, &arena, err)
                                                     : follow_block(arg, tx, event, &arena, err);
    arena_done(&arena);
    return rc;
}

/* --- what is kept about somebody ---------------------------------------------------------------
 */

static int export_struct(const char *kind, const struct schema *schema, const void *value,
                         export_fn *fn, void *arg, struct error *err)
{
    struct buf json;
    buf_init(&json, EMIT_BYTES_MAX);
    schema_encode(schema, value, &json);
    int rc = buf_ok(&json) ? fn(arg, kind, buf_view(&json), err)
                           : error_set(err, FAIL_TOO_LARGE, "too_large", "It does not fit.");
    buf_done(&json);
    return rc;
}

static int export_hosted(struct calendar_room *room, struct db_tx *tx, const struct id *user,
                         export_fn *fn, void *arg, struct error *err)
{
    enum { HOSTED_MAX = 100000 };
    struct id *ids = xcalloc(HOSTED_MAX, sizeof *ids);
    size_t count = 0;
    int rc = gathering_store_of_host(tx, user, 0, true, HOSTED_MAX, ids, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct arena arena;
        struct gathering g;
        arena_init(&arena, EVENT_BYTES_MAX);
        rc = calendar_load(room, tx, &ids[i], &arena, &g, err);
        if (rc == 0)
            rc = export_struct("event", &gathering_schema, &g, fn, arg, err);
        arena_done(&arena);
    }
    free(ids);
    return rc;
}

static int export_answers(struct db_tx *tx, const struct id *user, export_fn *fn, void *arg,
                          struct error *err)
{
    static const struct id nobody = {{0}};
    struct calendar_rsvp page[100];
    struct id after = {{0}};
    size_t count;
    do {
        int rc = rsvp_store_of_user(tx, user, &nobody, &after, ARRAY_LEN(page), page, &count, err);
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = export_struct("rsvp", &calendar_rsvp_schema, &page[i], fn, arg, err);
        if (rc < 0)
            return rc;
        if (count > 0)
            after = page[count - 1].gathering_id;
    } while (count == ARRAY_LEN(page));
    return 0;
}

int calendar_export_person(void *room, struct db_tx *tx, const struct id *user, export_fn *fn,
                           void *arg, struct error *err)
{
    int64_t created_at = 0;
    bool found = false;
    int rc = export_hosted(room, tx, user, fn, arg, err);
    if (rc == 0)
        rc = export_answers(tx, user, fn, arg, err);
    if (rc == 0)
        rc = link_store_get(tx, user, &created_at, &found, err);
    struct calendar_link link = {.url = SLICE("(kept as a hash)"), .created_at = created_at};
    return rc == 0 && found
               ? export_struct("calendar_link", &calendar_link_schema, &link, fn, arg, err)
               : rc;
}
