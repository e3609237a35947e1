#include "io/spares.h"

#include "io/loop_private.h"

enum { PREFETCHED_BYTES = 384 }; /* what every call begins with */

struct spare *spares_take(const struct spares_kind *kind)
{
    struct loop *loop = loop_current();
    if (loop == NULL)
        return NULL;
    struct loop_spares *spares = &loop->spares[kind->index];
    struct spare *spare = spares->first;
    if (spare != NULL) {
        spares->first = spare->next;
        spares->count--;
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

void loop_free_spares(struct loop *loop)
{
    for (unsigned i = 0; i < SPARES_KINDS; i++) {
        struct loop_spares *spares = &loop->spares[i];
        while (spares->first != NULL) {
            struct spare *spare = spares->first;
            spares->first = spare->next;
            spares->kind->free(spare);
        }
        spares->count = 0;
    }
}
