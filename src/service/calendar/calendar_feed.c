/* Calendar files: of one gathering, of a person, and the secret address that a calendar program
 * reads the latter by. */
#include <stdlib.h>

#include "base/random.h"
#include "kit/jwt.h"
#include "kit/seal.h"
#include "service/calendar/calendar_ics.h"
#include "service/calendar/calendar_room.h"

enum { TOKEN_BYTES = 32, TOKEN_CHARS = 43, DAY_MS = 86400000, PAST_DAYS = 90 };

static struct slice name_of(struct calendar_call *call, const struct id *user)
{
    const struct user_calls *users = call->room->users;
    struct user_profile profile;
    struct error ignored;
    error_init(&ignored);
    if (users->get(users->room, user, call->arena, &profile, &ignored) < 0)
        return (struct slice){0};
    return profile.full_name.ptr != NULL ? profile.full_name : profile.username;
}

static struct ics_item item_of(struct calendar_call *call, const struct gathering *g)
{
    return (struct ics_item){.gathering = g,
                             .zone = zones_find(call->room->zones, g->time_zone),
                             .host_name = name_of(call, &g->host_id)};
}

static int check_size(const struct buf *out, struct error *err)
{
    return buf_ok(out) ? 0
                       : error_set(err, FAIL_TOO_LARGE, "answer_too_large",
                                   "The calendar is larger than %zu bytes.", out->max);
}

int calendar_file(struct calendar_call *call, const struct id *id, struct buf *out)
{
    struct gathering g;
    int rc = calendar_see(call, id, &g);
    if (rc < 0)
        return rc;
    struct ics_item item = item_of(call, &g);
    ics_write(out, (struct slice){0}, &item, 1);
    return check_size(out, call->err);
}

/* --- of a person -------------------------------------------------------------------------------
 */

struct feed {
    struct calendar_call *call;
    struct gathering *items;
    size_t count;
};

static int feed_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct feed *f = arg;
    struct id *ids = arena_array(f->call->arena, CALENDAR_FEED_MAX, sizeof *ids);
    int64_t from = calendar_now_ms(f->call->room) - (int64_t)PAST_DAYS * DAY_MS;
    size_t count = 0;
    f->items = arena_array(f->call->arena, CALENDAR_FEED_MAX, sizeof *f->items);
    if (ids == NULL || f->items == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The calendar does not fit.");
    int rc = list_store_feed(tx, &f->call->user, from, CALENDAR_FEED_MAX, ids, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        bool found = false;
        rc = gathering_store_get(tx, &ids[i], f->call->arena, &f->items[f->count], &found, err);
        f->count += rc == 0 && found;
    }
    return rc;
}

/* Those of people who stand in a block with the reader are not for them. */
static bool is_hidden(const struct calendar_call *call, const struct gathering *g)
{
    const struct social_calls *social = call->room->social;
    return !id_eq(&call->user, &g->host_id) &&
           social->blocked(social->room, &call->user, &g->host_id);
}

int calendar_feed(struct calendar_call *call, struct buf *out)
{
    struct feed f = {.call = call};
    int rc = db_read(call->room->db, feed_tx, &f, call->err);
    struct ics_item *items = rc == 0 ? arena_array(call->arena, f.count + 1, sizeof *items) : NULL;
    if (rc == 0 && items == NULL)
        rc = error_set(call->err, FAIL_TOO_LARGE, "too_large", "The calendar does not fit.");
    if (rc < 0)
        return rc;
    size_t count = 0;
    for (size_t i = 0; i < f.count; i++)
        if (!is_hidden(call, &f.items[i]))
            items[count++] = item_of(call, &f.items[i]);
    ics_write(out, SLICE("Parley"), items, count);
    return check_size(out, call->err);
}

/* --- secret addresses --------------------------------------------------------------------------
 */

struct linking {
    const struct id *user;
    uint8_t hash[32];
    int64_t now_ms;
    struct id owner;
    bool found;
};

static int link_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct linking *l = arg;
    return link_store_put(tx, l->user, l->hash, l->now_ms, err);
}

/* 32 random bytes cannot be guessed, and what is stored of them is their SHA-256: a stolen table
 * opens no calendar. */
int calendar_link_make(struct calendar_call *call, struct calendar_link *ret_link)
{
    struct linking l = {.user = &call->user, .now_ms = calendar_now_ms(call->room)};
    uint8_t bytes[TOKEN_BYTES];
    struct buf token;
    buf_init(&token, 64);
    random_bytes(bytes, sizeof bytes);
    base64url_encode(slice_of((const char *)bytes, sizeof bytes), &token);
    seal_sha256(buf_view(&token), l.hash);
    struct slice url =
        arena_printf(call->arena, "/api/v1/calendars/%.*s.ics", SLICE_FMT(buf_view(&token)));
    buf_done(&token);
    if (url.ptr == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "too_large", "The address does not fit.");
    int rc = db_write(call->room->db, link_tx, &l, call->err);
    *ret_link = (struct calendar_link){.url = url, .created_at = l.now_ms};
    return rc;
}

static int unlink_tx(struct db_tx *tx, void *arg, struct error *err)
{
    return link_store_remove(tx, arg, err);
}

int calendar_link_end(struct calendar_call *call)
{
    return db_write(call->room->db, unlink_tx, &call->user, call->err);
}

static int find_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct linking *l = arg;
    return link_store_find(tx, l->hash, &l->owner, &l->found, err);
}

int calendar_link_find(struct calendar_room *room, struct slice file, struct id *ret_user,
                       struct error *err)
{
    struct linking l = {.found = false};
    int rc = 0;
    if (file.len == TOKEN_CHARS + 4 &&
        slice_eq(slice_of(file.ptr + TOKEN_CHARS, 4), SLICE(".ics"))) {
        seal_sha256(slice_of(file.ptr, TOKEN_CHARS), l.hash);
        rc = db_read(room->db, find_tx, &l, err);
    }
    if (rc == 0 && l.found)
        rc = room->users->check_all(room->users->room, &l.owner, 1, NULL, err);
    if (rc == FAIL_NOT_FOUND) {
        error_init(err);
        l.found = false;
        rc = 0;
    }
    if (rc == 0 && !l.found)
        rc = error_set(err, FAIL_NOT_FOUND, "calendar_not_found", "There is no such calendar.");
    if (rc == 0)
        *ret_user = l.owner;
    return rc;
}
