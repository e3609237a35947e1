/* Lists of gatherings in order of their start.
 *
 * Keys come first, from the sources that the scope names, merged; then the relations to their hosts
 * say which of them the reader may see; then those are read whole. What may not be seen makes a
 * round short, so there are a few of them; a page that is still not full has a cursor all the same.
 */
#include "service/calendar/calendar_room.h"

enum { ROUNDS_MAX = 5, FOLLOWED_AT_ONCE = 1000 };

struct looking {
    struct calendar_call *call;
    int scope;
    struct gathering_window window;
    struct buf match;    /* FTS5 expression of a search; empty: none */
    struct id *followed; /* sorted */
    size_t followed_count;
    struct gathering_keys keys;
    size_t limit;
    struct gathering *items; /* of the page */
    struct gathering_key *chosen;
    size_t chosen_count, item_count;
};

static int out_of_room(struct error *err)
{
    return error_set(err, FAIL_TOO_LARGE, "too_large", "The page does not fit.");
}

/* For twice as many as before: how many somebody may follow is social's to say. */
static bool make_room(struct looking *l, size_t *room)
{
    size_t more = *room == 0 ? FOLLOWED_AT_ONCE : 2 * *room;
    struct id *followed = arena_array(l->call->arena, more, sizeof *followed);
    if (followed == NULL)
        return false;
    if (l->followed_count > 0)
        memcpy(followed, l->followed, l->followed_count * sizeof *followed);
    l->followed = followed;
    *room = more;
    return true;
}

static int load_followed(struct looking *l)
{
    struct calendar_call *call = l->call;
    const struct social_calls *social = call->room->social;
    struct id after = {{0}};
    size_t count, room = 0;
    if (l->match.len > 0 || (l->scope != GATHERINGS_ALL && l->scope != GATHERINGS_FOLLOWING))
        return 0;
    do {
        if (room < l->followed_count + FOLLOWED_AT_ONCE && !make_room(l, &room))
            return out_of_room(call->err);
        int rc = social->following(social->room, &call->user, &after, FOLLOWED_AT_ONCE,
                                   l->followed + l->followed_count, &count, call->err);
        if (rc < 0)
            return rc;
        l->followed_count += count;
        if (count > 0)
            after = l->followed[l->followed_count - 1];
    } while (count == FOLLOWED_AT_ONCE);
    return 0;
}

static bool wants(const struct looking *l, int scope)
{
    return l->scope == scope || l->scope == GATHERINGS_ALL;
}

static int keys_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct looking *l = arg;
    const struct gathering_window *w = &l->window;
    int rc = 0;
    l->keys.count = 0;
    if (l->match.len > 0)
        return list_store_search(tx, w, &l->call->user, l->scope, buf_view(&l->match), &l->keys,
                                 err);
    if (wants(l, GATHERINGS_MINE))
        rc = list_store_hosted(tx, w, &l->call->user, &l->keys, err);
    if (rc == 0 && wants(l, GATHERINGS_ANSWERED))
        rc = list_store_answered(tx, w, &l->call->user, &l->keys, err);
    if (rc == 0 && wants(l, GATHERINGS_PUBLIC))
        rc = list_store_public(tx, w, &l->keys, err);
    if (rc == 0)
        rc = list_store_followed(tx, w, l->followed, l->followed_count,
                                 !wants(l, GATHERINGS_PUBLIC), &l->keys, err);
    return rc;
}

static int choose(struct looking *l)
{
    struct calendar_call *call = l->call;
    const struct social_calls *social = call->room->social;
    struct id hosts[PAGE_LIMIT_MAX + 1];
    struct social_relation relations[PAGE_LIMIT_MAX + 1];
    for (size_t i = 0; i < l->keys.count; i++)
        hosts[i] = l->keys.items[i].host_id;
    int rc = l->keys.count == 0 ? 0
                                : social->relations(social->room, &call->user, hosts, l->keys.count,
                                                    relations, call->err);
    for (size_t i = 0; rc == 0 && i < l->keys.count && l->chosen_count <= l->limit; i++) {
        const struct gathering_key *key = &l->keys.items[i];
        if (l->scope == GATHERINGS_FOLLOWING && !relations[i].following)
            continue;
        if (relations[i].muting && !key->known)
            continue;
        if (calendar_may_see(&relations[i], key->visibility, key->known))
            l->chosen[l->chosen_count++] = *key;
    }
    return rc;
}

static struct cursor cursor_of(const struct gathering_key *key)
{
    return (struct cursor){.number = key->starts_at, .id = key->id};
}

/* One more than a page is chosen, so that it is known whether there is another. */
static int find_keys(struct looking *l, bool *ret_more)
{
    bool full = true;
    int rc = 0;
    for (int round = 0; rc == 0 && full && round < ROUNDS_MAX && l->chosen_count <= l->limit;
         round++) {
        rc = db_read(l->call->room->db, keys_tx, l, l->call->err);
        if (rc == 0)
            rc = choose(l);
        full = l->keys.count == l->keys.max;
        if (rc == 0 && full)
            l->window.after = cursor_of(&l->keys.items[l->keys.count - 1]);
    }
    *ret_more = full || l->chosen_count > l->limit;
    return rc;
}

static int items_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct looking *l = arg;
    struct calendar_room *room = l->call->room;
    for (size_t i = 0; i < l->chosen_count; i++) {
        struct gathering *g = &l->items[l->item_count];
        bool found, known;
        int rc = gathering_store_get(tx, &l->chosen[i].id, l->call->arena, g, &found, err);
        if (rc == 0 && found)
            rc = calendar_fill_local(room, l->call->arena, g, err);
        if (rc == 0 && found)
            rc = calendar_fill_answer(tx, &l->call->user, g, &known, err);
        if (rc < 0)
            return rc;
        l->item_count += found; /* else it has gone in between */
    }
    return 0;
}

/* Each word in quotes, so that nothing in it is taken for syntax, and as the beginning of one. */
static void write_match(struct slice words, struct buf *out)
{
    bool inside = false;
    for (size_t i = 0; i < words.len; i++) {
        char c = words.ptr[i];
        bool ends = c == '"' || (c >= 0 && c <= ' ');
        if (inside && ends)
            buf_lit(out, "\"* ");
        else if (!inside && !ends)
            buf_char(out, '"');
        if (!ends)
            buf_char(out, c);
        inside = !ends;
    }
    buf_str(out, inside ? "\"*" : out->len == 0 ? "\"\"" : "");
}

static int start_looking(struct looking *l, const struct gathering_query *query)
{
    struct calendar_call *call = l->call;
    bool given;
    int rc = cursor_decode(query->page.cursor, &l->window.after, &given, call->err);
    if (rc < 0)
        return rc;
    if (!given)
        l->window.after = (struct cursor){.number = INT64_MIN};
    l->window.from = query->from != 0 ? query->from : calendar_now_ms(call->room);
    l->window.to = query->to != 0 ? query->to : INT64_MAX;
    if (l->window.to <= l->window.from && query->to != 0)
        return error_field(call->err, "to", "not_after_from", "must be later than from");
    l->limit = (size_t)query->page.limit;
    l->keys.max = l->limit + 1;
    l->keys.items = arena_array(call->arena, l->keys.max, sizeof *l->keys.items);
    l->chosen = arena_array(call->arena, l->limit + 1, sizeof *l->chosen);
    l->items = arena_array(call->arena, l->limit, sizeof *l->items);
    if (query->q.ptr != NULL)
        write_match(query->q, &l->match);
    if (!buf_ok(&l->match) || l->keys.items == NULL || l->chosen == NULL || l->items == NULL)
        return out_of_room(call->err);
    return load_followed(l);
}

static int look(struct looking *l, const struct gathering_query *query,
                struct gathering_list *ret_list)
{
    struct gathering_list list = {0};
    int rc = start_looking(l, query);
    if (rc == 0)
        rc = find_keys(l, &list.more);
    if (rc < 0)
        return rc;
    list.next = l->window.after;
    if (l->chosen_count > l->limit) {
        l->chosen_count = l->limit;
        list.next = cursor_of(&l->chosen[l->limit - 1]);
    }
    rc = db_read(l->call->room->db, items_tx, l, l->call->err);
    list.items = l->items;
    list.count = l->item_count;
    *ret_list = list;
    return rc;
}

int gathering_list(struct calendar_call *call, const struct gathering_query *query,
                   struct gathering_list *ret_list)
{
    struct looking l = {.call = call, .scope = query->scope};
    buf_init(&l.match, 4096);
    int rc = look(&l, query, ret_list);
    buf_done(&l.match);
    return rc;
}
