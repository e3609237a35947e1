/* Popular posts (S04): the public posts of the last three days with the most marks for their age.
 *
 * The ranking is made from the newest active posts, kept for half an hour for everybody, and seen
 * by each through their own relations. Its text is pairs of id and author in the order of the rank,
 * 32 bytes each; a page is cut out of it by rank, so paging is stable while the ranking stands.
 */
#include <math.h>
#include <stdlib.h>

#include "service/post/post_list.h"

#define RANKING_KEY "post:ranking" /* keys of the store are everybody's */

/* What has no likes and no comments is not popular. */
enum {
    CANDIDATES_MAX = 100000, /* newest first; more are not looked at */
    CANDIDATES_STEP = 2000,  /* in one read: others want the readers too */
    RANKED_MAX = 1000,
    WINDOW_MS = 3 * 24 * 3600 * 1000,
    HOUR_MS = 3600 * 1000,
    COMMENT_WEIGHT = 2,
    ENTRY_BYTES = 2 * sizeof(struct id),
};

struct scored {
    double score;
    struct id id, user_id;
};

struct ranking {
    int64_t now_ms;
    struct id from, before;
    struct scored best[RANKED_MAX]; /* a heap: the lowest on top */
    size_t count;
    size_t seen, step; /* candidates; of the last read */
};

/* An hour-old post needs fewer marks than one of yesterday: the marks are divided by a power of the
 * age. */
static double score_of(const struct post_activity *a, int64_t now_ms)
{
    double hours = (double)(now_ms - a->created_at) / HOUR_MS;
    double marks = (double)(a->likes + COMMENT_WEIGHT * a->comments);
    return marks / pow((hours > 0 ? hours : 0) + 2, 1.5);
}

/* Higher score first; equal ones newest first. */
static int by_rank(const void *x, const void *y)
{
    const struct scored *a = x, *b = y;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return id_cmp(&b->id, &a->id);
}

static void sink(struct ranking *r, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < r->count && by_rank(&r->best[child + 1], &r->best[child]) > 0)
            child++;
        if (child >= r->count || by_rank(&r->best[child], &r->best[at]) <= 0)
            return;
        struct scored moved = r->best[at];
        r->best[at] = r->best[child];
        r->best[child] = moved;
        at = child;
    }
}

static void consider(void *arg, const struct post_activity *activity)
{
    struct ranking *r = arg;
    r->before = activity->ref.id;
    r->step++;
    struct scored s = {score_of(activity, r->now_ms), activity->ref.id, activity->ref.user_id};
    if (r->count < RANKED_MAX) {
        r->best[r->count++] = s;
        for (size_t i = r->count / 2; r->count == RANKED_MAX && i-- > 0;)
            sink(r, i);
    } else if (by_rank(&s, &r->best[0]) < 0) {
        r->best[0] = s;
        sink(r, 0);
    }
}

static int rank_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct ranking *r = arg;
    r->step = 0;
    return post_store_active(tx, &r->from, &r->before, CANDIDATES_STEP, consider, r, err);
}

static int rank(struct post_room *room, struct ranking *r, struct error *err)
{
    int rc;
    do {
        rc = db_read(room->db, rank_tx, r, err);
        r->seen += r->step;
    } while (rc == 0 && r->step == CANDIDATES_STEP && r->seen < CANDIDATES_MAX);
    qsort(r->best, r->count, sizeof r->best[0], by_rank);
    return rc;
}

/* The lowest id that a post of that time can have (RFC 9562, 5.7). */
static struct id first_of(int64_t wall_ms)
{
    struct id id = {{0}};
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)((uint64_t)wall_ms >> (40 - 8 * i));
    return id;
}

static int make(void *arg, struct arena *arena, struct buf *out, struct error *err)
{
    struct post_room *room = arg;
    struct ranking *r = arena_zalloc(arena, sizeof *r);
    if (r == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "No room for the ranking.");
    r->now_ms = clock_wall_ms(room->kit->clock);
    r->from = first_of(r->now_ms - WINDOW_MS);
    r->before = post_id_last;
    int rc = rank(room, r, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < r->count; i++) {
        buf_append(out, r->best[i].id.bytes, sizeof(struct id));
        buf_append(out, r->best[i].user_id.bytes, sizeof(struct id));
    }
    return buf_ok(out) ? 0
                       : error_set(err, FAIL_TOO_LARGE, "too_large", "The ranking is too long.");
}

static struct id id_at(struct slice bytes, size_t at)
{
    struct id id;
    memcpy(id.bytes, bytes.ptr + at, sizeof id.bytes);
    return id;
}

/* walk->at.number: how many places have been given. */
static int read_ranking(struct post_call *call, struct post_walk *walk, size_t max,
                        struct post_ref *ret_refs, size_t *ret_count)
{
    size_t total = walk->ranking.len / ENTRY_BYTES;
    size_t begin = walk->at.number == INT64_MAX ? 0 : (size_t)walk->at.number; /* too large: end */
    (void)call;
    *ret_count = 0;
    for (size_t i = begin; i < total && *ret_count < max; i++)
        ret_refs[(*ret_count)++] =
            (struct post_ref){.id = id_at(walk->ranking, i * ENTRY_BYTES),
                              .user_id = id_at(walk->ranking, i * ENTRY_BYTES + sizeof(struct id)),
                              .visibility = SOCIAL_PUBLIC,
                              .at = (int64_t)i + 1};
    return 0;
}

int post_list_popular(struct post_call *call, const struct page_query *query,
                      struct post_page *ret_page)
{
    struct post_walk walk = {.read = read_ranking, .without_muted = true};
    struct buf ranking;
    buf_init(&ranking, RANKED_MAX * ENTRY_BYTES + 1024);
    int rc = cache_get(call->room->popular, SLICE(RANKING_KEY), make, call->room, call->arena,
                       &ranking, call->err);
    walk.ranking = buf_view(&ranking);
    if (rc == 0 && walk.ranking.len == 0) /* the first likes of a new server are not kept waiting */
        cache_forget(call->room->popular, SLICE(RANKING_KEY));
    if (rc == 0)
        rc = post_list_walk(call, &walk, query, ret_page);
    buf_done(&ranking);
    return rc;
}

/* Made anew before anybody has to wait for it. */
int post_popular_job(void *arg, struct error *err)
{
    struct post_room *room = arg;
    struct arena arena;
    struct buf out;
    arena_init(&arena, 1 << 20);
    buf_init(&out, RANKED_MAX * ENTRY_BYTES + 1024);
    cache_forget(room->popular, SLICE(RANKING_KEY));
    int rc = cache_get(room->popular, SLICE(RANKING_KEY), make, room, &arena, &out, err);
    buf_done(&out);
    arena_done(&arena);
    return rc;
}
