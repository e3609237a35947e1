/* Reading what a returning client has missed: the streams it follows and the events on them, in one
 * snapshot, so that neither can be newer than the other.
 *
 * Streams of a room in a database of its own come from another snapshot. The head of the log is
 * noted before that: an event up to there was relayed from a commit which that snapshot has, so the
 * streams are those of all events up to the head, and the read gives none above it. What came since
 * is closed from memory or read in the next round, with newer streams, as after any read. */
#include "realtime/session.h"

static int add_stream(const struct id *stream, uint64_t since, void *arg, struct error *err)
{
    struct replay *r = arg;
    if (r->stream_count == r->stream_cap) {
        size_t cap = r->stream_cap != 0 ? r->stream_cap * 2 : 64;
        struct id *streams = arena_array(&r->arena, cap, sizeof *streams);
        uint64_t *sinces = arena_array(&r->arena, cap, sizeof *sinces);
        if (streams == NULL || sinces == NULL)
            return error_set(err, FAIL_TOO_LARGE, "too_many_streams",
                             "This account follows more streams than a session may hold.");
        if (r->stream_count > 0) {
            memcpy(streams, r->streams, r->stream_count * sizeof *streams);
            memcpy(sinces, r->since, r->stream_count * sizeof *sinces);
        }
        r->streams = streams;
        r->since = sinces;
        r->stream_cap = cap;
    }
    r->streams[r->stream_count] = *stream;
    r->since[r->stream_count++] = since;
    return 0;
}

/* Of the rooms whose tables are in this database. */
static int read_streams(struct db_tx *tx, void *arg, struct error *err)
{
    struct replay *r = arg;
    struct kit *kit = r->realtime->kit;
    int rc = 0;
    for (int i = 0; rc == 0 && kit->modules[i] != NULL; i++)
        if (kit->modules[i]->streams != NULL && kit_db(kit, kit->modules[i]->name) == db_tx_db(tx))
            rc =
                kit->modules[i]->streams(kit->rooms[i], tx, &r->principal.user, add_stream, r, err);
    return rc;
}

static bool has_streams(struct kit *kit, const struct db *db)
{
    for (int i = 0; kit->modules[i] != NULL; i++)
        if (kit->modules[i]->streams != NULL && kit_db(kit, kit->modules[i]->name) == db)
            return true;
    return false;
}

/* Before the log is read, and after its head was noted. */
static int read_own_databases(struct replay *r, struct error *err)
{
    struct kit *kit = r->realtime->kit;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < kit->database_count; i++) {
        struct db *db = kit->databases[i].db;
        if (kit->databases[i].name == NULL || kit_database_again(kit, i) || !has_streams(kit, db))
            continue;
        r->through_max = r->apart ? r->through_max : event_log_head(kit->log);
        r->apart = true;
        rc = db_read(db, read_streams, r, err);
    }
    return rc;
}

/* Stops (1) before the event that is above through_max, or does not fit into the arena. */
static int keep_event(const struct event *event, void *arg, struct error *err)
{
    struct replay *r = arg;
    if (event->pos > r->through_max) {
        r->capped = true;
        return 1;
    }
    if (!event->type->client) {
        r->last = event->pos;
        return 0;
    }
    /* Only now: most who connect have missed nothing, and a crowd of them should not leave a trail
     * of large holes in the heap. */
    if (r->events == NULL)
        r->events = arena_array(&r->arena, r->limit, sizeof *r->events);
    r->bytes += event->data.len;
    bool fits = r->event_count == 0 || r->bytes <= REPLAY_BYTES;
    struct slice data = fits ? arena_copy(&r->arena, event->data) : (struct slice){0};
    if (r->events == NULL || data.ptr == NULL) {
        if (r->event_count == 0)
            return error_set(err, FAIL_TOO_LARGE, "event_too_large", "An event is too large.");
        r->cut = true;
        return 1;
    }
    r->last = event->pos;
    r->events[r->event_count++] = (struct told_event){event->pos, event->type, data};
    return 0;
}

static int read_all(struct db_tx *tx, void *arg, struct error *err)
{
    struct replay *r = arg;
    int rc = add_stream(&r->principal.user, 0, r, err);
    if (rc == 0)
        rc = read_streams(tx, r, err);
    if (rc < 0)
        return rc;
    rc = event_log_read_streams(r->realtime->kit->log, tx, r->after, r->streams, r->since,
                                r->stream_count, r->limit, keep_event, r, &r->through, err);
    if (rc == 0 && r->cut)
        r->through = r->last; /* the log counts the event that it stopped at */
    if (rc == 0 && (r->capped || r->through > r->through_max))
        r->through = r->through_max;
    return rc;
}

void replay_init(struct replay *replay, struct realtime *realtime,
                 const struct principal *principal, uint64_t after, unsigned limit)
{
    replay->realtime = realtime;
    replay->principal = *principal;
    replay->after = after;
    replay->limit = limit;
    replay->streams = NULL;
    replay->since = NULL;
    replay->stream_count = replay->stream_cap = 0;
    replay->events = NULL;
    replay->event_count = 0;
    replay->bytes = 0;
    replay->through = replay->last = after;
    replay->through_max = UINT64_MAX;
    replay->apart = replay->capped = replay->cut = false;
    arena_init(&replay->arena, REPLAY_BYTES_MAX);
}

/* The log keeps what has been deleted or hidden since, for days. */
static int review(struct replay *r, struct error *err)
{
    struct kit *kit = r->realtime->kit;
    int rc = 0;
    for (int i = 0; rc == 0 && r->event_count > 0 && kit->modules[i] != NULL; i++)
        if (kit->modules[i]->review != NULL)
            rc = kit->modules[i]->review(kit->rooms[i], &r->principal, r->events, r->event_count,
                                         &r->arena, err);
    return rc;
}

int replay_read(struct replay *replay, struct error *err)
{
    int rc = read_own_databases(replay, err);
    /* The log's head may lie behind what a client has seen: it never goes back. */
    if (rc == 0 && replay->through_max < replay->after)
        replay->through_max = replay->after;
    struct kit *kit = replay->realtime->kit;
    if (rc == 0)
        rc = db_read(kit->main_db, read_all, replay, err);
    /* Of a slow reader the log may have let something go since it was let in. */
    if (rc == 0 && replay->after + 1 < event_log_first(kit->log))
        rc = error_set(err, FAIL_UNAVAILABLE, "position_passed",
                       "What follows this position is not kept any more; come again.");
    return rc < 0 ? rc : review(replay, err);
}

void replay_done(struct replay *replay)
{
    arena_done(&replay->arena);
}

int session_position(struct realtime *realtime, const struct position *from, uint64_t *ret_after)
{
    uint64_t head = event_log_head(realtime->kit->log);
    uint64_t first = event_log_first(realtime->kit->log);
    if (from->epoch != realtime->epoch || from->pos > head || from->pos + 1 < first) {
        *ret_after = head;
        return 1;
    }
    *ret_after = from->pos;
    return 0;
}
