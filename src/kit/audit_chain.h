/* The hash that chains the rows of the audit log; inside kit/audit*.c only. */
#ifndef PARLEY_KIT_AUDIT_CHAIN_H
#define PARLEY_KIT_AUDIT_CHAIN_H

#include "kit/audit.h"

/* Of the row and the hash before it (32 zero bytes for the first). Every field goes in with its
 * length, absent ones apart from empty ones: no two rows give the same bytes. */
void audit_hash(const uint8_t before[AUDIT_HASH_BYTES], const struct audit_row *row,
                uint8_t ret_hash[AUDIT_HASH_BYTES]);

#endif
