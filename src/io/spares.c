#include "io/spares.h"

#include "io/loop_private.h"

enum {
    PREFETCHED_BYTES = 384, /* what every call begins with */
    TRIM_AT_ONCE = 512,
};

struct spare *spares_take(const struct spares_kind *kind)
{
    struct loop *loop = loop_current();
    if (loop == NULL)
        return NULL;
    struct loop_spares *spares = &loop->spares[kind->index];
    struct spare *spare = spares->first;
    if (spare != NULL) {
        spares->first = spare->next;
        if (--spares->count < spares->least)
            spares->least = spares->count;
        prefetch(spare->next, PREFETCHED_BYTES, true); /* for the next call */
    }
    return spare;
}

void spares_keep(const struct spares_kind *kind, struct spare *spare)
{
    struct loop *loop = loop_current();
    if (loop == NULL || loop->spares[kind->index].count >= kind->kept_max) {
        kind->free(spare);
        return;
    }
    struct loop_spares *spares = &loop->spares[kind->index];
    spares->kind = kind;
    spare->next = spares->first;
    spares->first = spare;
    spares->count++;
}

static void free_some(struct loop_spares *spares, unsigned count)
{
    for (; count > 0; count--) {
        struct spare *spare = spares->first;
        spares->first = spare->next;
        spares->count--;
        spares->kind->free(spare);
    }
}

bool loop_trim_spares(struct loop *loop)
{
    bool more = false;
    for (unsigned i = 0; i < SPARES_KINDS; i++) {
        struct loop_spares *spares = &loop->spares[i];
        unsigned idle = spares->least > SPARES_KEPT ? spares->least - SPARES_KEPT : 0;
        free_some(spares, idle < TRIM_AT_ONCE ? idle : TRIM_AT_ONCE);
        spares->least = spares->count;
        more |= spares->count > SPARES_KEPT;
    }
    return more;
}

bool loop_has_idle_spares(const struct loop *loop)
{
    for (unsigned i = 0; i < SPARES_KINDS; i++)
        if (loop->spares[i].count > SPARES_KEPT)
            return true;
    return false;
}

void loop_free_spares(struct loop *loop)
{
    for (unsigned i = 0; i < SPARES_KINDS; i++)
        free_some(&loop->spares[i], loop->spares[i].count);
}
