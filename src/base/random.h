/* Random bytes for keys, ids and tokens: a 4 KiB block per thread filled by getrandom(2), wiped
 * as it is used and on fork. Aborts if the kernel cannot give random bytes. */
#ifndef PARLEY_BASE_RANDOM_H
#define PARLEY_BASE_RANDOM_H

#include "base/base.h"

void random_bytes(void *ret_bytes, size_t len);
uint64_t random_u64(void);
uint64_t random_below(uint64_t bound); /* uniform in [0, bound), bound > 0 */

#endif
