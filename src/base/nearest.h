/* "Did you mean ...?": the known name nearest to what somebody wrote, by Damerau-Levenshtein
 * distance (one letter more, fewer, other, or two neighbours swapped), at most 2 away and always
 * less than the whole word. */
#ifndef PARLEY_BASE_NEAREST_H
#define PARLEY_BASE_NEAREST_H

#include "base/base.h"

struct nearest {
    struct slice text;
    const char *name; /* the best so far, or NULL; borrowed from nearest_offer */
    size_t distance;
};

void nearest_init(struct nearest *n, struct slice text);
void nearest_offer(struct nearest *n, const char *name);

#endif
