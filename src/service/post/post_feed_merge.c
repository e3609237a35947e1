/* A heap of lists by their newest post. Of an author one post is read at first, because most of a
 * thousand authors have nothing on a page; who is on it is read on in steps. */
#include "service/post/post_feed_merge.h"

enum { STEP = 8 };

struct feed_source {
    struct id author; /* nil: all refs are there */
    int visibility;
    const struct post_ref *refs;
    struct post_ref *own; /* STEP of them, or NULL before the second read */
    struct post_ref first;
    size_t next, count;
    bool ended;
};

static const struct id *top_of(const struct feed_source *source)
{
    return &source->refs[source->next].id;
}

static int no_room(struct error *err)
{
    return error_set(err, FAIL_TOO_LARGE, "too_large", "The feed does not fit into memory.");
}

int feed_merge_init(struct feed_merge *merge, struct db_tx *tx, struct arena *arena, size_t max,
                    struct error *err)
{
    *merge = (struct feed_merge){.tx = tx, .arena = arena, .before = post_id_last, .max = max};
    merge->heap = arena_array(arena, max + 1, sizeof(struct feed_source *));
    return merge->heap != NULL ? 0 : no_room(err);
}

/* --- the heap ----------------------------------------------------------------------------------
 */

static void swap(struct feed_merge *m, size_t a, size_t b)
{
    struct feed_source *moved = m->heap[a];
    m->heap[a] = m->heap[b];
    m->heap[b] = moved;
}

static bool newer(const struct feed_merge *m, size_t a, size_t b)
{
    return id_cmp(top_of(m->heap[a]), top_of(m->heap[b])) > 0;
}

static void push(struct feed_merge *m, struct feed_source *source)
{
    size_t at = m->count++;
    m->heap[at] = source;
    for (; at > 0 && newer(m, at, (at - 1) / 2); at = (at - 1) / 2)
        swap(m, at, (at - 1) / 2);
}

static void sink_top(struct feed_merge *m)
{
    for (size_t at = 0;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < m->count && newer(m, child + 1, child))
            child++;
        if (child >= m->count || !newer(m, child, at))
            return;
        swap(m, at, child);
        at = child;
    }
}

/* --- lists -------------------------------------------------------------------------------------
 */

static int read_on(struct feed_merge *m, struct feed_source *source, const struct id *before,
                   struct post_ref *refs, size_t max, struct error *err)
{
    source->next = 0;
    source->refs = refs;
    int rc = post_store_by_user(m->tx, &source->author, before, &m->floor, source->visibility, max,
                                refs, &source->count, err);
    source->ended = source->count < max;
    return rc;
}

int feed_merge_add_refs(struct feed_merge *merge, const struct post_ref *refs, size_t count,
                        struct error *err)
{
    if (count == 0)
        return 0;
    struct feed_source *source = arena_zalloc(merge->arena, sizeof *source);
    if (source == NULL || merge->count == merge->max)
        return no_room(err);
    source->refs = refs;
    source->count = count;
    source->ended = true;
    push(merge, source);
    return 0;
}

int feed_merge_add_author(struct feed_merge *merge, const struct id *author, int visibility,
                          struct error *err)
{
    struct feed_source *source = arena_zalloc(merge->arena, sizeof *source);
    if (source == NULL || merge->count == merge->max)
        return no_room(err);
    source->author = *author;
    source->visibility = visibility;
    int rc = read_on(merge, source, &merge->before, &source->first, 1, err);
    if (rc == 0 && source->count > 0)
        push(merge, source);
    return rc;
}

/* After the top list has given its newest. */
static int refill_top(struct feed_merge *m, struct error *err)
{
    struct feed_source *source = m->heap[0];
    struct id last = *top_of(source);
    int rc = 0;
    source->next++;
    if (source->next == source->count && !source->ended) {
        if (source->own == NULL)
            source->own = arena_array(m->arena, STEP, sizeof *source->own);
        if (source->own == NULL)
            return no_room(err);
        rc = read_on(m, source, &last, source->own, STEP, err);
    }
    if (source->next == source->count)
        m->heap[0] = m->heap[--m->count];
    if (rc == 0 && m->count > 0)
        sink_top(m);
    return rc;
}

int feed_merge_next(struct feed_merge *merge, struct post_ref *ret_ref, struct error *err)
{
    while (merge->count > 0) {
        struct feed_source *source = merge->heap[0];
        struct post_ref ref = source->refs[source->next];
        int rc = refill_top(merge, err);
        if (rc < 0)
            return rc;
        if (id_eq(&ref.id, &merge->last))
            continue;
        merge->last = ref.id;
        *ret_ref = ref;
        return 1;
    }
    return 0;
}
